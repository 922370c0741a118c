"The first second: how long a process takes until the library is there"
import subprocess
import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from medical_imaging.prepare import dicom_prepare

import pydicom
import torch

from harness import Comparison,Topic,Way

topic = Topic('The first second')
tmp,runs = TemporaryDirectory(),count()
command = 'import sys; from medical_imaging.prepare import dicom_prepare; dicom_prepare(sys.argv[1:])'
note = 'A process of Python from its start to its end, beside one that only imports what the task needs at least.'

def run(code, *args): subprocess.run([sys.executable,'-c',code,*args], check=True, capture_output=True)

def empty_folder():
    "A folder with nothing in it, and one that is not there yet"
    src,dst = (Path(tmp.name)/f'{name}{next(runs)}' for name in ('src','dst'))
    src.mkdir()
    return command,str(src),str(dst)

def comparison(task, name, f, args, code, other, of):
    "A process of ours beside one that runs `code`"
    return Comparison(task, dict(name='no image', shape=[], dtype='', bytes=0), [
        Way(name, f, 'medical_imaging', args, run), Way(f'python -c "{code}"', other, of, (code,), run)], note)

@topic.time
def starts():
    least = 'import numpy, cv2, pydicom',pydicom.dcmread,'pydicom'
    yield comparison('Help', 'dicom_prepare --help', dicom_prepare, (command,'--help'), *least)
    yield comparison('An empty folder', 'dicom_prepare', dicom_prepare, empty_folder, *least)
    everything = 'from medical_imaging.all import *'
    yield comparison('Everything', everything, dicom_prepare, (everything,), 'import torch', torch.tensor, 'torch')
