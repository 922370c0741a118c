"A folder of CT slices to images for training, ours and theirs, and the parts of it"
from contextlib import contextmanager
from functools import cache,partial
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from medical_imaging.pipeline import convert          # its parts are measured, some of which are private
from medical_imaging.pipeline.recipe import Recipe
from medical_imaging.pixels.frame import grey_frame
from medical_imaging.pixels.native import native_values
from medical_imaging.prepare import prepare
from medical_imaging.testing.phantoms import cxr_phantom

import cv2
import imagecodecs
import numpy as np
import PIL.Image
import torch
from fastai.medical import imaging as fm   # patches DataFrame, Path and Dataset
from fastcore.basics import num_cpus
from fastcore.parallel import parallel
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.uid import JPEG2000Lossless

from harness import Comparison,Topic,Way,one_thread
from headers import fai_table    # with fastai mended where it fails on sequences
from decoding import compressed,lossless
from images import decoded,describe,opened,stored
from practitioner import convert_folder

topic = Topic('Preparing a data set')
fai,n_files,n_less,n_few,size,workers = 'fastai.medical.imaging',1000,300,200,256,2
recipe = Recipe('brain,subdural', bins='image', crop='body', size=size, format='jpg')
windows = fm.dicom_windows.brain,fm.dicom_windows.subdural
tmp,runs = TemporaryDirectory(),count()

@cache
def folder(n, syntax=None):
    "Slices of a CT, not compressed or in a transfer syntax, which differ in their UID and number"
    ds = dcmread(BytesIO(compressed(syntax))) if syntax else opened('693_UNCR')
    res = Path(tmp.name)/f'src{n}{syntax or ""}'
    res.mkdir()
    for i in range(n):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f'{ds.SeriesInstanceUID[:50]}.{i+1}'
        ds.InstanceNumber = i+1
        ds.save_as(res/f'{i:04}.dcm')
    return res

def fresh(n, syntax=None):
    "The folder, and one that is not there yet"
    return folder(n, syntax),Path(tmp.name)/f'dst{next(runs)}'

def ours(src, dst): return prepare(src, dst, recipe, n_workers=workers, progress=False)

def crop_of(ds):
    "The body by fastai's mask, cropped and resized by its function"
    box = fm.mask2bbox(ds.mask_from_blur(fm.dicom_windows.brain))
    return fm.crop_resize(ds.scaled_px[None], box[...,None], size)[0,0]

def one(fn, dst):
    "One file as fastai's own notebooks do it: mask, crop, windows and histogram as channels, saved"
    crop_of(fn.dcmread()).save_jpg(dst/f'{fn.stem}.jpg', windows)

def by_fastai(src, dst):
    fns = sorted(src.iterdir())
    dst.mkdir()
    parallel(partial(one, dst=dst), fns, n_workers=workers, progress=False)
    fai_table(fns, px_summ=True, n_workers=workers, progress=False).to_pickle(dst/'metadata.pkl')

@contextmanager
def usual_threads():
    "As many as PyTorch and OpenCV take when nobody says how many"
    for o in (torch.set_num_threads,cv2.setNumThreads): o(num_cpus())
    try: yield
    finally: one_thread()

def unhindered(f):
    def res(*args):
        with usual_threads(): f(*args)
    return res

def both(n, task, note, how=lambda f: f, syntax=None):
    kind = f", {lossless[syntax][0]}" if syntax else ''
    image = dict(name=f'{n} copies of 693_UNCR.dcm{kind}', shape=[n,512,512], dtype='int16',
        bytes=sum(o.stat().st_size for o in folder(n, syntax).iterdir()))
    args = partial(fresh, n, syntax)
    ways = [Way('prepare', prepare, 'medical_imaging.prepare', args, how(ours)),
        Way('fastai', fm.crop_resize, fai, args, how(by_fastai), note='save_jpg and from_dicoms, by two '
        'processes as well'), Way('a script by hand', convert_folder, 'practitioner', args,
        note='pydicom, NumPy, OpenCV, two processes; no report, no notes, no resuming')]
    return Comparison(task, image, ways, runs=3, note=note)

@topic.time
def whole():
    yield both(n_files, 'A folder to JPEGs of three channels and a table', f"{n_files:,} CT slices of 512x512, not "
        f"compressed, to JPEGs of {size}x{size} (two windows and the histogram), cut out at the body, with the table "
        f"of headers and "
        "statistics; two processes each, started in it, of one thread each. Ours writes its report, journal and "
        "settings besides; fastai's box comes from its mask, a blur, and it is mended where it fails, on sequences.")
    yield both(n_few, 'The same with the usual threads', f"{n_few} of them. Here nobody has told PyTorch and OpenCV "
        f"how many threads to take, so each process of fastai takes one for each core, and they get into each other's "
        f"way; "
        "those of `prepare` know that they are not alone.", unhindered)
    yield both(n_less, f'The same, {n_less} files', f'{n_less} of them, two processes of one thread each: the fixed '
        'cost of a run, which the report is most of, counts for more.')

@topic.time
def compressed_folders():
    for syntax in ('1.2.840.10008.1.2.4.70','1.2.840.10008.1.2.4.90','1.2.840.10008.1.2.4.80'):
        yield both(n_less, f'A folder in {lossless[syntax][0]}', f'{n_less} of the slices, compressed; two processes '
            'of one thread each, as above.', syntax=syntax)

@cache
def large_images():
    "Six radiographs of 3,328 x 4,096 pixels of 12 bits, in JPEG 2000 without loss"
    px = cxr_phantom(size=4096, bits=12, seed=0).px[:,:3328]
    ds = opened('RG3_UNCR')
    ds.PixelData = encapsulate([imagecodecs.jpeg2k_encode(np.ascontiguousarray(px), bitspersample=12, reversible=True)])
    ds['PixelData'].VR,ds.file_meta.TransferSyntaxUID = 'OB',JPEG2000Lossless
    ds.Rows,ds.Columns,ds.BitsStored,ds.HighBit = *px.shape,12,11
    res = Path(tmp.name)/'large'
    res.mkdir()
    for i in range(6): ds.save_as(res/f'{i}.dcm')
    return res

def by_size(src, dst, **settings):
    "How many pictures there are"
    return np.array(prepare(src, dst, size=size, n_workers=workers, progress=False, **settings).n_images)

@topic.time
def previews():
    folder = large_images()
    image = dict(name='a phantom of a radiograph', shape=[6,4096,3328], dtype='uint16',
        bytes=sum(o.stat().st_size for o in folder.iterdir()))
    def args(): return folder,Path(tmp.name)/f'dst{next(runs)}'
    mine = 'medical_imaging.prepare'
    yield Comparison('Previews of large images', image, [
        Way('prepare(preview=True)', prepare, mine, args, partial(by_size, preview=True)),
        Way('prepare', prepare, mine, args, by_size)], f'Six images in JPEG 2000 to pictures of {size} x {size}, from '
        'a part of their resolution and from all of it; two processes each.', runs=7)

def part(task, ways, note=''): return Comparison(task, describe('693_UNCR', stored('693_UNCR')), ways, note)

@topic.time
def parts():
    ds = decoded('693_UNCR')
    frame,mine = grey_frame(ds),'medical_imaging.pipeline.convert'
    box,_ = convert._find_part(frame, recipe)
    rec = convert._crop_record(frame.stored.shape, recipe, box)
    pic = convert.convert_image(ds, recipe)
    rgb = PIL.Image.fromarray(np.rint(np.moveaxis(pic.planes, 0, -1)*255).astype(np.uint8))
    theirs,file = fm.mask2bbox(ds.mask_from_blur(fm.dicom_windows.brain))[...,None],Path(tmp.name)/'one.jpg'
    yield part('Part: decode',
        [Way('native_values', native_values, 'medical_imaging.pixels.native', (ds,)),
        Way('pydicom pixel_array', pixel_array, 'pydicom', (ds,), lambda o: pixel_array(o, raw=True), same=0.)],
        'Values of an opened Dataset that is not compressed. Compressed ones are decoded by the plugins of pydicom, '
        'with either library.')
    yield part('Part: find the body',
        [Way('body box', convert._find_part, mine, (frame,recipe)),
        Way('fastai mask_from_blur, mask2bbox', fm.mask2bbox, fai, (ds,),
        lambda o: fm.mask2bbox(o.mask_from_blur(fm.dicom_windows.brain)))],
        'From decoded pixels to the box; ours from the histogram of the frame, which statistics and bins use too.')
    yield part('Part: two windows and the histogram of the crop',
        [Way('channels by table', convert._planes_of_part, mine, (frame,rec),
        lambda f,r: convert._planes_of_part(f, r, convert._channels_of_recipe(f, recipe).function(f, recipe))),
        Way('fastai crop_resize, to_nchan', fm.crop_resize, fai, (ds,),
        lambda o: fm.crop_resize(o.scaled_px[None], theirs, size)[0,0].to_nchan(windows))],
        f'From decoded pixels and the box to three channels of {size}x{size}.')
    yield part('Part: encode',
        [Way('encode_picture', convert.encode_picture, mine, (pic,recipe)),
        Way('Pillow, as fastai saves', PIL.Image.Image.save, 'PIL', (rgb,file),
        lambda i,f: i.save(f, quality=90, subsampling=0))],
        'To JPEG without chroma subsampling; ours from float channels to bytes, theirs from 8 bits to a file.')
