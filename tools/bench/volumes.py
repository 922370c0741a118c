"Series to volumes, ours and theirs"
from functools import cache

import numpy as np
import pydicom
import SimpleITK
from medical_imaging.series import group_series
from monai.transforms import LoadImage

from harness import Comparison,Topic,Way
from headers import folder,n_files

mi = 'medical_imaging.series'
topic = Topic('Series and volumes')

def one_thread(): SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)

def grouped(files): return group_series(files, progress=False)
def volume_of(files): return grouped(files)[0].volume()

def by_sitk(files):
    one_thread()
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(files[0].parent)))
    return SimpleITK.GetArrayFromImage(SimpleITK.Cast(reader.Execute(), SimpleITK.sitkFloat32))

def by_monai(files): return LoadImage(reader='PydicomReader', image_only=True)(str(files[0].parent))
def slices_first(image): return np.asarray(image).transpose(2, 1, 0)

def places(headers): return np.array([float(ds.ImagePositionPatient[2]) for ds in headers])
def read_headers(files): return [pydicom.dcmread(o, stop_before_pixels=True) for o in files]

@cache
def image():
    files = folder()
    return dict(name=f'{n_files} copies of 693_UNCR.dcm', shape=[n_files,512,512], dtype='int16',
        bytes=sum(o.stat().st_size for o in files))

@topic.time
def volumes():
    note = ("From files, which the system holds in memory, to float32 with rescale, in order of position; the headers "
        "are read in it. Ours looks for what is wrong besides. One thread each.")
    ways = [Way('group_series, volume', group_series, mi, (folder(),), volume_of, part=lambda v: v.values),
        Way('SimpleITK ImageSeriesReader', SimpleITK.ImageSeriesReader, 'SimpleITK', (folder(),), by_sitk, same=0.),
        Way('MONAI LoadImage, PydicomReader', LoadImage, 'monai', (folder(),), by_monai, same=0., part=slices_first)]
    yield Comparison('A series to a volume', image(), ways, note)

@topic.peak
def memory():
    ways = [Way('group_series, volume', group_series, mi, (folder(),), lambda files: volume_of(files).values),
        Way('SimpleITK ImageSeriesReader', SimpleITK.ImageSeriesReader, 'SimpleITK', (folder(),), by_sitk)]
    yield Comparison('A series to a volume', image(), ways, 'Both give float32, which is twice the size of the files.')

@topic.time
def series():
    note = 'From files to series in order, with what is wrong; no pixels. Beside it what reading alone takes.'
    ways = [Way('group_series', group_series, mi, (folder(),), grouped, part=lambda s: np.array(s[0].positions)),
        Way('pydicom.dcmread(stop_before_pixels=True)', pydicom.dcmread, 'pydicom', (folder(),), read_headers,
            note='reading alone, no order', part=places)]
    yield Comparison('The series of a folder', image(), ways, note)
