"Tables of headers, ours and theirs"
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from medical_imaging.tables.table import dicom_table

import numpy as np
import pandas as pd
import pydicom
from fastai.medical import imaging as fm   # patches DataFrame, Path and Dataset
from fastcore.foundation import L

from harness import Comparison,Topic,Way
from images import opened

fai,mi = 'fastai.medical.imaging','medical_imaging.tables.table'
fai_table,fai_cast = pd.DataFrame.from_dicoms,fm._cast_dicom_special
topic = Topic('Headers')
tmp,n_files = TemporaryDirectory(),300

def cast(v):
    "fastai's, which fails on a sequence, and so on nearly every file: those are left as they are"
    return v if isinstance(v, pydicom.Sequence) else fai_cast(v)
fm._cast_dicom_special = cast

@cache
def folder():
    "Slices of a CT, not compressed, which differ in their UID, number and place"
    ds = opened('693_UNCR')
    for i in range(n_files):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f'{ds.SeriesInstanceUID[:50]}.{i+1}'
        ds.InstanceNumber,ds.ImagePositionPatient = i+1,[*ds.ImagePositionPatient[:2],i*.625]
        ds.save_as(Path(tmp.name)/f'{i:03}.dcm')
    return L(Path(tmp.name)/f'{i:03}.dcm' for i in range(n_files))

def ours(fns, n): return dicom_table(fns, n_workers=n, progress=False)
def by_fastai(fns, n): return fai_table(fns, px_summ=False, n_workers=n, progress=False)
def read(fns, n): return [pydicom.dcmread(o, stop_before_pixels=True) for o in fns]

@cache
def shared():
    "Names of the columns of numbers; an error where the tables differ in what is not said in the note"
    a,b = ours(folder()[:9], 0),by_fastai(folder()[:9], 0)
    more = [k for k in a if k not in b]
    if [k for k in more if '.' not in k]!=['error','TransferSyntaxUID'] or not set(b)<=set(a):
        raise AssertionError(f'other columns than expected: {more}')
    for k in set(b)-{'fname','DerivationCodeSequence'}:
        if a[k].notna().to_numpy().tolist()!=[str(o)!='' for o in b[k]]:
            raise AssertionError(f'{k}: empty in one of the tables')
        if a[k].dropna().astype(str).tolist()!=[str(o) for o in b[k] if str(o)!='']:
            raise AssertionError(f'{k} differs')
    return [k for k in b if pd.api.types.is_numeric_dtype(a[k])]

def numbers(df): return df[[k for k in shared() if k!='DerivationCodeSequence']].to_numpy(np.float64)

def comparison(task, n, *more, note=''):
    fns = folder()
    image = dict(name=f'{n_files} copies of 693_UNCR.dcm', shape=[n_files,512,512], dtype='int16',
        bytes=sum(o.stat().st_size for o in fns))
    ways = [Way('dicom_table', dicom_table, mi, (fns,n), ours, part=numbers),
        Way('fastai from_dicoms(px_summ=False)', fai_table, fai, (fns,n), by_fastai, same=0., part=numbers)]
    return Comparison(task, image, [*ways, *more], note)

note = ("From files, which the system holds in memory, to a DataFrame. All columns of fastai's are in ours with the "
    "same values, but for empty texts, which are missing values in ours, and the sequence, "
    "of which ours has the number of items and the elements of the first. fastai is mended where it fails, on "
    "sequences.")

@topic.time
def tables():
    floor = Way('pydicom.dcmread(stop_before_pixels=True)', pydicom.dcmread, 'pydicom', (folder(),0), read,
        note='reading alone, no table')
    yield comparison('A table of headers', 0, floor, note=note)

@topic.time
def two_processes():
    yield comparison('A table of headers, by two processes each', 2, note='The same; the processes are started in it.')
