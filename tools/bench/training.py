"Loading prepared pictures for training, ours and theirs"
import shutil
from functools import cache,partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from medical_imaging.prepare import prepare
from medical_imaging.testing.phantoms import ct_series
from medical_imaging.testing.samples import sample_file
from medical_imaging.training.dataset import PreparedDataset
from medical_imaging.training.prepared import prepared_dls
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

from harness import Comparison,Topic,Way

topic = Topic('Loading for training')
of = 'medical_imaging'
tmp,n_pictures,batch = TemporaryDirectory(),400,32

@cache
def pictures():
    "A folder of JPEGs of 256 x 256 in three channels, and its path as an image folder of two classes"
    src,dst = (Path(tmp.name)/name for name in ('src','dst'))
    for folder in ('a','b'): (src/folder).mkdir(parents=True)
    for i in range(n_pictures): shutil.copy(sample_file('693_UNCR'), src/('a' if i%2 else 'b')/f'{i}.dcm')
    prepare(src, dst, windows='brain,subdural,bone', size=256, format='jpg', progress=False)
    return dst

def first_batch(loader):
    "One epoch; the pictures of its first batch"
    batches = [x for x,_ in loader]
    return batches[0]

def by_pytorch(dst):
    return first_batch(DataLoader(PreparedDataset(dst, 'Modality'), batch_size=batch, num_workers=2))

def by_image_folder(dst):
    return first_batch(DataLoader(ImageFolder(dst/'images', ToTensor()), batch_size=batch, num_workers=2))

def by_fastai(dst):
    dls = prepared_dls(dst, 'Modality', by='image', valid_pct=.01, bs=batch, num_workers=2, device='cpu', seed=0)
    return first_batch(dls.train)

@topic.time
def epochs():
    note = (f'An epoch of {n_pictures} JPEGs of 256 x 256 with three channels, in batches of {batch}, by two workers; '
        'opening the folder and starting the workers are timed, too.')
    image = dict(name=f'{n_pictures} copies of 693_UNCR.dcm', shape=[n_pictures,256,256], dtype='uint8',
        bytes=sum(o.stat().st_size for o in pictures().rglob('*.jpg')))
    yield Comparison('An epoch of prepared pictures', image, [
        Way('DataLoader(PreparedDataset)', PreparedDataset, f'{of}.training.dataset', (pictures(),), by_pytorch),
        Way('torchvision ImageFolder', ImageFolder, 'torchvision', (pictures(),), by_image_folder, same=3/255),
        Way('prepared_dls', prepared_dls, f'{of}.training.prepared', (pictures(),), by_fastai)], note, runs=5)

@cache
def scans():
    "A folder of one series of 200 slices of 512 x 512"
    src = Path(tmp.name)/'scans'
    src.mkdir()
    for i,ds in enumerate(ct_series(n=200, size=512, spacing=1.5)):
        ds.save_as(src/f'{i*37%200}.dcm', enforce_file_format=True)
    return src

def by_prepare(**settings):
    "Prepare the series anew; how many pictures there are"
    dst = Path(tmp.name)/'near'
    shutil.rmtree(dst, ignore_errors=True)
    res = prepare(scans(), dst, windows='lung', format='jpg', n_workers=2, progress=False, **settings)
    return np.array(res.n_images)

@topic.time
def neighbors():
    note = ('200 slices of 512 x 512 to JPEGs in the order of the series, by two workers: one slice a picture, and a '
        'slice between its neighbors as three channels, which are three times as many pixels to encode.')
    image = dict(name='a phantom of 200 slices', shape=[200,512,512], dtype='int16', bytes=200*512*512*2)
    yield Comparison('Pictures with neighbors', image, [
        Way('prepare(neighbors=1)', prepare, f'{of}.prepare', (), partial(by_prepare, neighbors=1)),
        Way("prepare(by='series')", prepare, f'{of}.prepare', (), partial(by_prepare, by='series'))], note, runs=5)
