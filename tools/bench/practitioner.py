"A folder of CT slices to JPEGs and a table as one writes it by hand: pydicom, NumPy, OpenCV, a pool of processes"
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pydicom

SIZE,QUALITY = 256,90
JPEG = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]

def windowed(hu, width, level):
    "8 bits of a window"
    low = level-width/2
    return ((np.clip(hu, low, low+width)-low)*(255/width)).astype(np.uint8)

def equalized(hu):
    "8 bits by rank: the histogram, summed up, as a table"
    low = int(hu.min())
    counts = np.bincount((hu-low).ravel())
    return (counts.cumsum()/hu.size*255).astype(np.uint8)[hu-low]

def largest_box(mask):
    "Square around the largest piece of a mask"
    _,_,stats,_ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    x,y,w,h,_ = stats[1+stats[1:,4].argmax()]
    side,rows,cols = max(w, h),*mask.shape
    top,left = max(y+h//2-side//2, 0),max(x+w//2-side//2, 0)
    return slice(top, min(top+side, rows)),slice(left, min(left+side, cols))

def convert(job):
    "One file: two windows and the histogram, cut out at the body; its row of the table"
    file,dst = job
    ds = pydicom.dcmread(file)
    hu = ds.pixel_array.astype(np.int16)*int(ds.RescaleSlope)+int(ds.RescaleIntercept)
    part = hu[largest_box(hu>-500)]
    image = np.stack([windowed(part, 80, 40), windowed(part, 200, 80), equalized(part)], -1)
    cv2.imwrite(f'{dst}/{Path(file).stem}.jpg', cv2.resize(image, (SIZE,SIZE), interpolation=cv2.INTER_AREA), JPEG)
    row = {e.keyword:str(e.value) for e in ds if e.keyword and e.VR not in ('OB','OW','SQ')}
    return row | dict(fname=file, img_min=int(hu.min()), img_max=int(hu.max()), img_mean=hu.mean(), img_std=hu.std())

def start_worker(): cv2.setNumThreads(1)

def convert_folder(src, dst, n_workers=2):
    "JPEGs of all files of `src`, and a table"
    dst.mkdir()
    jobs = [(str(file),str(dst)) for file in sorted(src.iterdir())]
    with get_context('fork').Pool(n_workers, start_worker) as pool: rows = pool.map(convert, jobs, chunksize=16)
    pd.DataFrame(rows).to_parquet(dst/'metadata.parquet')
