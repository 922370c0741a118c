"Decoding of every kind of compression, ours and theirs"
from contextlib import contextmanager
from functools import cache,partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from medical_imaging.pixels.decode import stored_values

import cv2
import imagecodecs
import numpy as np
import SimpleITK
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder,pixel_array
from pydicom.uid import UID

from harness import Comparison,Topic,Way,one_thread
from images import file_bytes,opened,stored

topic = Topic('Decoding')
tmp = TemporaryDirectory()
mine = 'medical_imaging.pixels.decode'

def encode_rle(px):
    "Run lengths, the higher bytes first"
    ds = opened('693_UNCR')
    ds.Rows,ds.Columns = px.shape
    ds.PixelData = px.tobytes()
    ds.compress('1.2.840.10008.1.2.5', generate_instance_uid=False)
    return ds.PixelData

reversible = dict(level=0, codecformat='J2K', reversible=True)
# for a transfer syntax its name here and what encodes an image
lossless = {
    '1.2.840.10008.1.2.4.70': ('JPEG lossless',partial(imagecodecs.jpeg8_encode, lossless=True, bitspersample=16)),
    '1.2.840.10008.1.2.4.80': ('JPEG-LS',imagecodecs.jpegls_encode),
    '1.2.840.10008.1.2.4.90': ('JPEG 2000, lossless',partial(imagecodecs.jpeg2k_encode, **reversible)),
    '1.2.840.10008.1.2.4.201': ('HTJ2K, lossless',partial(imagecodecs.htj2k_encode, reversible=True)),
    '1.2.840.10008.1.2.5': ('RLE',encode_rle)}
# files that come with pydicom and pydicom-data
others = {'SC_rgb_jpeg_dcmtk':'JPEG, baseline', 'SC_rgb_jpeg':'JPEG, baseline',
    'JPGLosslessP14SV1_1s_1f_8b':'JPEG lossless', 'RG1_J2KI':'JPEG 2000, lossy'}

@cache
def compressed(syntax, name='693_UNCR'):
    "A file that is not compressed, in another transfer syntax, as bytes"
    ds,px = opened(name),stored(name)
    if px.dtype.kind=='i': px = px.view(np.uint16)
    data = lossless[syntax][1](px)
    ds.PixelData = data if syntax.endswith('.5') else encapsulate([data])
    ds['PixelData'].VR = 'OB'
    ds['PixelData'].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    ds.save_as(file, enforce_file_format=True)
    return file.getvalue()

def plugin_beside(syntax):
    "A plugin of pydicom that neither ends the process on damaged files, as gdcm does, nor is ours"
    names = [o for o in get_decoder(syntax).available_plugins if o not in ('gdcm','imagecodecs')]
    return names[-1] if names else None

def by_pydicom(ds, plugin=''): return pixel_array(ds, raw=True, decoding_plugin=plugin)

def ways_of_pydicom(fresh):
    plugin = plugin_beside(fresh().file_meta.TransferSyntaxUID)
    yield Way('pydicom pixel_array', pixel_array, 'pydicom', lambda: (fresh(),), by_pydicom, same=1.)
    if plugin: yield Way(f'pydicom pixel_array, {plugin}', pixel_array, 'pydicom', lambda: (fresh(),plugin), by_pydicom,
        same=1.)

def by_sitk(path): return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))

def with_sitk(data):
    "SimpleITK reads a file, not its bytes"
    path = Path(tmp.name)/f'{abs(hash(data))}.dcm'
    path.write_bytes(data)
    return Way('SimpleITK', SimpleITK.ReadImage, 'SimpleITK', (str(path),), by_sitk, note='from the file, rescaled')

note = ('Values of a Dataset just opened, which is not timed; all by one thread. pydicom asks its plugins in turn, '
    'gdcm first, which is installed here; beside it the plugin that is named. SimpleITK reads the file as well.')

def fresh_from(data): return lambda: dcmread(BytesIO(data))

def describe_file(name, fresh):
    px = stored_values(fresh())
    return dict(name=f'{name}.dcm', shape=list(px.shape), dtype=str(px.dtype), bytes=int(px.nbytes))

def comparison(kind, name, data, *more):
    fresh = fresh_from(data)
    ours = Way('stored_values', stored_values, mine, lambda: (fresh(),))
    return Comparison(kind, describe_file(name, fresh), [ours, *ways_of_pydicom(fresh), *more], note)

@topic.time
def one_frame():
    for syntax,(kind,_) in lossless.items():
        for name in ('693_UNCR','RG1_UNCR'):
            data = compressed(syntax, name)
            yield comparison(kind, name, data, with_sitk(data))
    for name,kind in others.items(): yield comparison(kind, name, file_bytes(name))

@contextmanager
def threads(n):
    cv2.setNumThreads(n)
    try: yield
    finally: one_thread()

def by_threads(n, ds):
    with threads(n): return stored_values(ds)

def by_two(task, name, data, note):
    "Two threads beside one"
    fresh = fresh_from(data)
    return Comparison(task, describe_file(name, fresh),
        [Way('stored_values', stored_values, mine, lambda: (2,fresh()), by_threads),
        Way('stored_values, one thread', stored_values, mine, lambda: (1,fresh()), by_threads, same=0.),
        *ways_of_pydicom(fresh)],
        f"{note} OpenCV's number of threads is set to two, which `stored_values` follows; unless it is told otherwise, "
        "it is the number of cores.")

@topic.time
def many_frames():
    name = 'color3d_jpeg_baseline'
    yield by_two('All frames of a cine, by two threads', name, file_bytes(name), 'A JPEG for each frame.')

@topic.time
def shared_blocks():
    files = {'693_UNCR':compressed('1.2.840.10008.1.2.4.90'), 'RG1_J2KI':file_bytes('RG1_J2KI')}
    for name,data in files.items():
        yield by_two('One image of JPEG 2000, by two threads', name, data, 'Its blocks are shared among the threads.')
