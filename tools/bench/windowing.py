"Windows, ours and theirs"
from pydicom.dataset import Dataset
from medical_imaging.contrast.channels import channel_table,to_nchan
from medical_imaging.arrays.tables import apply_table
from medical_imaging.windowing import window

import numpy as np
import SimpleITK as sitk
import torch
from fastai.medical import imaging as fm  # noqa: F401, it patches Tensor and Dataset
from monai.transforms import ScaleIntensityRange

from harness import Comparison,Topic,Way
from images import decoded,describe,stored,values

fai = 'fastai.medical.imaging'
fai_windowed,fai_dataset_windowed,fai_nchan = torch.Tensor.windowed,Dataset.windowed,Dataset.to_nchan
topic = Topic('Windowing')
images = {'RG1_UNCR':[(16000,8000),(6000,4000),(10000,14000)], 'MR2_UNCR':[(1000,500),(400,200),(2000,1000)],
    'explicit_VR-UN':[(400,50),(150,30),(1800,400)]}

def ours(x, w, l): return window(x, center=l, width=w, voi_lut_function='LINEAR_EXACT')
def by_fastai(ds, w, l): return (fai_dataset_windowed(ds, w, l)*255).byte()
def channels_by_fastai(ds, wins): return (fai_nchan(ds, wins)*255).byte()

@topic.time
def tensors():
    for name,((w,l),*_) in images.items():
        x,lo,hi = values(name),l-w/2,l+w/2
        yield Comparison('One window of a float tensor', describe(name, x),
            [Way('window', window, 'medical_imaging.windowing', (x,w,l), ours),
            Way('fastai Tensor.windowed', fai_windowed, fai, (x,w,l), same=1e-6),
            Way('MONAI ScaleIntensityRange', ScaleIntensityRange(lo, hi, 0., 1., clip=True), 'monai', (x,), same=1e-6),
            Way('SimpleITK IntensityWindowing', sitk.IntensityWindowing, 'SimpleITK',
            (sitk.GetImageFromArray(x.numpy()),lo,hi,0.,1.), same=1e-6)], 'LINEAR_EXACT, to floats in [0,1]; '
            'SimpleITK is given an image of its own kind.')

def positive(name):
    "A decoded Dataset that says MONOCHROME2: fastai does not turn negatives, and both are to do the same"
    ds = decoded(name)
    ds.PhotometricInterpretation = 'MONOCHROME2'
    return ds

def table_of(name, win): return np.ascontiguousarray(channel_table(positive(name), [win], dtype=np.uint8)[:,0])
def with_table_made(px, ds, win):
    return apply_table(px, np.ascontiguousarray(channel_table(ds, [win], px=px, dtype=np.uint8)[:,0]))

@topic.time
def to_8_bits():
    for task,note in (('Stored values to 8 bits, the table at hand', 'One window, rescale included. As for a series, '
            'where one table serves every slice.'),
            ('Stored values to 8 bits, the table made each time', 'The same with a table for this image alone.')):
        for name,(win,*_) in images.items():
            px,ds = stored(name),positive(name)
            mine = Way('apply_table', apply_table, 'medical_imaging.arrays.tables',
                (px,table_of(name, win))) if 'hand' in task else Way('channel_table, apply_table', channel_table,
                'medical_imaging.contrast.channels', (px,ds,win), with_table_made)
            yield Comparison(task, describe(name, px),
                [mine, Way('fastai Dataset.windowed, times 255, byte', fai_dataset_windowed, fai, (ds,*win), by_fastai,
                same=1)], note+' fastai cuts where we round, which is the difference of one grey; both begin with the '
                'array that pydicom keeps, of a header that says MONOCHROME2, as fastai turns no negative.')

@topic.time
def channels():
    for name,wins in images.items():
        ds = positive(name)
        yield Comparison('Three windows and the histogram, as 8-bit channels', describe(name, stored(name)),
            [Way('to_nchan', to_nchan, 'medical_imaging.contrast.channels', (ds,wins),
            lambda d,o: to_nchan(d, o, dtype=torch.uint8)),
            Way('fastai Dataset.to_nchan, times 255, byte', fai_nchan, fai, (ds,wins), channels_by_fastai, same=1)],
            'From a decoded Dataset, in one pass through a table of four columns. One grey of difference, as before.')
