"The images that are measured: files of pydicom-data, opened in every state that a comparison needs"
from functools import cache
from io import BytesIO

import numpy as np
import torch
from pydicom import dcmread

from medical_imaging.pixels.decode import stored_values
from medical_imaging.pixels.frame import modality_values
from medical_imaging.testing.samples import sample_file

names = 'RG1_UNCR','MR2_UNCR','693_UNCR'      # a chest radiograph, an MR and a head CT, none compressed

@cache
def file_bytes(name): return sample_file(name).read_bytes()

def opened(name):
    "A Dataset that was just opened, from a file that is in memory"
    return dcmread(BytesIO(file_bytes(name)))

def decoded(name):
    "A Dataset of which `pixel_array` was asked before, so that pydicom keeps it"
    ds = opened(name)
    ds.pixel_array
    return ds

@cache
def stored(name): return stored_values(opened(name))

@cache
def values(name):
    "Modality values, float32"
    return modality_values(opened(name))

@cache
def whole(name):
    "Stored values as float32: whole numbers, as are the HU of most CTs"
    return torch.from_numpy(stored(name).astype(np.float32))

@cache
def fractional(name):
    "The same with a random fraction added, as after resampling"
    x = whole(name)
    return x+torch.rand(x.shape, generator=torch.Generator().manual_seed(0))

def unit(x):
    "Values from 0 to 1"
    return (x-x.min())/(x.max()-x.min())

def describe(name, x):
    "An image as the JSON has it"
    return dict(name=f'{name}.dcm', shape=list(x.shape), dtype=str(x.dtype).removeprefix('torch.'), bytes=int(x.nbytes))
