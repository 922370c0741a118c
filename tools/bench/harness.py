"Measure ways to do one thing in turn, in one process and on one thread, and say on which machine: see run.py"
import ctypes
import gc
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass,field
from datetime import datetime,timezone
from importlib.metadata import packages_distributions,version
from pathlib import Path

# before anything that starts threads is imported
THREADS = ('OMP_NUM_THREADS','OPENBLAS_NUM_THREADS','MKL_NUM_THREADS','NUMEXPR_NUM_THREADS','NUMBA_NUM_THREADS',
    'ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS')
os.environ.update(dict.fromkeys(THREADS, '1'))

import cv2
import numpy as np
import torch
from pydicom.dataset import Dataset

import medical_imaging.all  # noqa: F401, for its methods of Dataset

methods = dict(vars(Dataset))    # ours, before a topic imports fastai, which replaces some

root = Path(__file__).resolve().parents[2]
ours = 'medical_imaging'

@dataclass
class Way:
    "One way to do a task"
    name:str         # as the page shall call it
    fn:object        # the function that is measured
    of:str           # the module that `fn` must come from
    args:object      # what `fn` is called with: a tuple, or a function that makes one before each call, untimed
    call:object=None # how `fn` is called, where it is more than `fn(*args)`
    same:float|None=None # largest difference from ours that is allowed; `None` where it is another method
    note:str=''      # what is to be said of it
    part:object=None # function that takes from the result what is compared, where that is not all of it
    def __post_init__(self):
        module = self.fn.__module__ or ''
        if module!=self.of and not module.startswith(f'{self.of}.'):
            raise AssertionError(f'{self.name}: the function is from {module}, not from {self.of}')
    def make(self): return self.args() if callable(self.args) else self.args
    def __call__(self, args): return (self.call or self.fn)(*args)
    def compared(self):
        res = self(self.make())
        return as_array(self.part(res) if self.part else res)
    def describe(self):
        return dict(name=self.name,
            function=f"{self.fn.__module__}.{getattr(self.fn, '__qualname__', type(self.fn).__name__)}", note=self.note)

@dataclass
class Comparison:
    "One task on one image, the first of its `ways` being ours"
    task:str
    image:dict
    ways:list
    note:str = ''    # what is timed, and what is not
    device:str = 'cpu'
    seconds:float = 2
    # rounds for what takes many seconds, after one that is not counted; `None`: as many as `rounds` thinks
    runs:int|None = None
    def __post_init__(self):
        if not self.ways[0].of.startswith(ours): raise AssertionError(f'{self.task}: the first way must be ours')

@dataclass
class Topic:
    "Comparisons that share a heading of the page"
    title:str
    times:list = field(default_factory=list)      # functions that give comparisons
    memory:list = field(default_factory=list)     # functions that give comparisons whose memory is measured
    def time(self, f): self.times.append(f); return f
    def peak(self, f): self.memory.append(f); return f

def one_thread():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if 'SimpleITK' in sys.modules: sys.modules['SimpleITK'].ProcessObject.SetGlobalDefaultNumberOfThreads(1)

def as_array(o):
    if type(o).__module__.startswith('SimpleITK'): o = sys.modules['SimpleITK'].GetArrayFromImage(o)
    return (o.detach().cpu().numpy() if isinstance(o, torch.Tensor) else np.asarray(o)).astype(np.float64)

def difference(comp):
    "Largest difference of each way's result from ours; an error where it is larger than that way allows"
    ref = comp.ways[0].compared() if any(o.same is not None for o in comp.ways[1:]) else None
    for way in comp.ways[1:]:
        if way.same is None: yield None; continue
        res = way.compared()
        if res.shape!=ref.shape:
            raise AssertionError(f'{comp.task}: {way.name} gives shape {res.shape}, ours {ref.shape}')
        diff = float(np.abs(res-ref).max()) if ref.size else 0.
        if not diff<=way.same:
            raise AssertionError(f'{comp.task}: {way.name} differs from ours by {diff}, more than {way.same}')
        yield diff

def sample(way, n, device):
    "Seconds for one call, the mean of `n` in a row; what they are called with is made before the clock starts"
    args = [way.make() for _ in range(n)]
    if device!='cpu': torch.cuda.synchronize()
    start = time.perf_counter()
    for o in args: way(o)
    if device!='cpu': torch.cuda.synchronize()
    return (time.perf_counter()-start)/n

def rounds(comp, least=7, most=400, burst=.01):
    "Seconds of each way in each round, (rounds, ways), in an order that changes; calls under `burst` are repeated"
    if comp.runs:
        for o in comp.ways: sample(o, 1, comp.device)
        return np.array([[sample(o, 1, comp.device) for o in comp.ways] for _ in range(comp.runs)])
    for o in comp.ways: sample(o, 2, comp.device)
    n = [max(1, min(20, round(burst/sample(o, 1, comp.device)))) for o in comp.ways]
    res,k,end = [],len(comp.ways),time.perf_counter()+comp.seconds
    gc.collect(); gc.disable()
    try:
        while len(res)<least or (len(res)<most and time.perf_counter()<end):
            order = [(i+len(res))%k for i in range(k)][::1 if len(res)%2 else -1]
            took = {i:sample(comp.ways[i], n[i], comp.device) for i in order}
            res.append([took[i] for i in range(k)])
    finally: gc.enable()
    return np.array(res)

def spread(x):
    q1,med,q3 = np.percentile(x, (25,50,75))
    return dict(median=short(med), q1=short(q1), q3=short(q3))

def short(x, digits=4): return float(f'{x:.{digits}g}')

def measure(topic, comp):
    "A comparison as the JSON has it: times in milliseconds, ratios of pairs within a round"
    diffs = list(difference(comp))
    t = rounds(comp)
    row = dict(topic=topic.title, task=comp.task, note=comp.note, image=comp.image, device=comp.device, rounds=len(t),
        ours=comp.ways[0].describe()|dict(ms=spread(t[:,0]*1e3)), others=[])
    for i,(way,diff) in enumerate(zip(comp.ways[1:], diffs), 1):
        row['others'].append(way.describe()|dict(ms=spread(t[:,i]*1e3), ratio=spread(t[:,i]/t[:,0]),
            max_difference=None if diff is None else short(diff, 3)))
    return row

# Memory: the kernel's high-water mark of the resident set, reset before each call

def status(key): return 1024*int(re.search(rf'^{key}:\s*(\d+)', Path('/proc/self/status').read_text(), re.M)[1])

def peak(way, repeat=3):
    "Bytes that a call takes at its highest point, and of these the bytes of the result"
    found = []
    for _ in range(repeat):
        args = way.make()
        ctypes.CDLL(None).malloc_trim(0)
        Path('/proc/self/clear_refs').write_text('5')
        before = status('VmRSS')
        res = way(args)
        found.append(status('VmHWM')-before)
        size = res.nbytes if hasattr(res, 'nbytes') else 0
        del res,args
    return int(np.median(found)),size

def memory_row(topic, comp):
    "Memory of each way at its highest point, less the result, in units of the input"
    n_bytes = comp.image['bytes']
    row = dict(topic=topic.title, task=comp.task, note=comp.note, image=comp.image, ways=[])
    for way in comp.ways:
        way(way.make())
        top,size = peak(way)
        row['ways'].append(way.describe()|dict(peak_mb=short(top/2**20), result_mb=short(size/2**20),
            beside=short((top-size)/n_bytes, 3)))
    return row

def measure_memory(topics):
    "In a process where every array is given back to the system as soon as it is free, which would spoil the times"
    if sys.platform!='linux': return []
    ctypes.CDLL(None).mallopt(-3, 1<<16)      # M_MMAP_THRESHOLD
    one_thread()
    return [memory_row(t, c) for t in topics for f in t.memory for c in f()]

def git(*args): return subprocess.run(['git', *args], cwd=root, capture_output=True, text=True).stdout.strip()

def commit(made):
    "The commit that is measured, and whether files other than those `made` here differ from it"
    return dict(commit=git('rev-parse', 'HEAD'),
        dirty=bool(git('status', '--porcelain', '--', '.', *(f':!{o}' for o in made))))

def first_match(pattern, path, default):
    try: return re.search(pattern, Path(path).read_text(), re.M)[1].strip()
    except (OSError,TypeError): return default

def machine():
    ram = os.sysconf('SC_PAGE_SIZE')*os.sysconf('SC_PHYS_PAGES')/2**30 if hasattr(os, 'sysconf') else 0
    return dict(cpu=first_match(r'^model name\s*:(.*)$', '/proc/cpuinfo', platform.processor() or platform.machine()),
        cores=os.cpu_count(), ram_gib=round(ram),
        os=first_match(r'^PRETTY_NAME="?(.*?)"?$', '/etc/os-release', platform.platform()),
        python=platform.python_version(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None)

def versions(rows):
    "Versions of the packages whose functions are in `rows`, and of those that do the work in them"
    used = {w['function'].split('.')[0] for r in rows for w in (*r.get('ways', []), *r.get('others', []),
        *([r['ours']] if 'ours' in r else []))}
    also = {'numpy','torch','cv2','pydicom','pydicom_data','data_store','gdcm','imagecodecs','openjpeg','jpeg_ls'}
    dists = packages_distributions()
    names = {dists[o][0] for o in used|also if o in dists}
    return {o:version(o) for o in sorted(names, key=str.lower)}

def measure_all(topics, made=()):
    "Everything, as the JSON has it"
    one_thread()
    start = datetime.now(timezone.utc)
    gc.freeze()
    wall,cpu = time.perf_counter(),time.process_time()
    rows = []
    for t in topics:
        for f in t.times:
            for comp in f():
                rows.append(measure(t, comp))
                print(lines(rows[-1]), flush=True)
    busy = (time.process_time()-cpu)/(time.perf_counter()-wall)
    if busy>1.05: raise AssertionError(f'{busy:.2f} threads were at work on average, not one')
    return dict(date=start.strftime('%Y-%m-%d'), **commit(made), machine=machine(), threads=1, busy=short(busy, 3),
        rows=rows)

def lines(row):
    "A row for the console"
    img = row['image']
    size = 'x'.join(map(str, img['shape']))
    res = [f"{row['task']}: {img['name']} {size} {img['dtype']}, {row['rounds']} rounds",
        f"  {row['ours']['ms']['median']:9.3f} ms  ours"]
    for o in row['others']:
        ratio,diff = o['ratio'],o['max_difference']
        res.append(f"  {o['ms']['median']:9.3f} ms  {o['name']}: {ratio['median']:.2f} ({ratio['q1']:.2f} to "
            f"{ratio['q3']:.2f}){'' if diff is None else f', max difference {diff:g}'}")
    return '\n'.join(res)
