"""Damage the sample files of pydicom in many ways, and see that each is opened or refused with an error of ours.

python tools/fuzz.py [N] [--seed 0] [--workers 2] [--keep FOLDER]: 500 files by default, the same for the same seed.
A file that kills its process, takes more than 10 s or 2 GB, or raises anything but DicomError, ValueError, TypeError
or OSError fails the run; with --keep it is written to FOLDER."""
import argparse
import faulthandler
import json
import random
import re
import select
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

MAX_BYTES, MAX_SECONDS, MAX_MEMORY = 200_000, 10, 2<<30
REFUSALS = ValueError, TypeError, OSError      # DicomError is a ValueError


# damage

NUMBERS = (b'0', b'1', b'-1', b'', b'65535', b'65536', b'99999999999', b'1e400', b'nan', b'inf', b'-inf', b'1e-320',
    b'1\\2', b'\\', b'0.0', b'x', b'\x00', b'1,5', b'9'*400)
TEXTS = (b'', b'\xff\xfe', b'\xed\xa0\x80', b'a\\b\\c', b'<script>alert(1)</script>', b'=1+1', b'|$x$|', b'\x1b$B\x1b',
    b'ISO_IR 192', b'ISO 2022 IR 87', b'1.2.840.10008.1.2.4.90', b'1.2.840.10008.1.2.5', b'1.2.840.10008.1.2.1.99',
    b'MONOCHROME1', b'MONOCHROME2', b'PALETTE COLOR', b'YBR_FULL_422', b'RGB', b'A'*70_000, b'20201341', b'-99Y')
BINARY = b'', b'\0', b'\0\0', b'\1\0', b'\xff\xff', b'\x08\0', b'\x10\0', b'\0\x80', b'\xff'*4, b'\0'*8, b'\x7f'*6
VRS = b'''AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV
    ZZ'''.split()
ELEMENT = re.compile(rb'[\0-\xff]{4}(?:' + b'|'.join(VRS[:-1]) + rb')', re.S)
KEYWORDS = '''Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation SamplesPerPixel PlanarConfiguration
    NumberOfFrames PhotometricInterpretation RescaleSlope RescaleIntercept RescaleType WindowCenter WindowWidth
    VOILUTFunction WindowCenterWidthExplanation PixelPaddingValue PixelPaddingRangeLimit Modality SOPClassUID
    PresentationLUTShape SpecificCharacterSet ModalityLUTSequence VOILUTSequence PatientName PatientAge StudyDate
    ImageOrientationPatient ImagePositionPatient PixelSpacing SliceThickness DoseGridScaling LossyImageCompression
    PerFrameFunctionalGroupsSequence SharedFunctionalGroupsSequence SmallestImagePixelValue PixelData FloatPixelData
    RedPaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData'''.split()

def change_bytes(data, rng, start=0):
    "A few bytes, a run of bytes, or the end of the file changed from `start` on"
    data = bytearray(data)
    at, kind = rng.randrange(min(start, len(data)-1), len(data)), rng.randrange(6)
    if kind<2:
        for _ in range(rng.randint(1, 20)): data[rng.randrange(min(start, len(data)-1), len(data))] = rng.randrange(256)
    elif kind==2: data[at:at+rng.randint(1, 64)] = bytes(rng.choice((0, 255)) for _ in range(rng.randint(1, 64)))
    elif kind==3: del data[at:at+rng.randint(1, 400)]
    elif kind==4: data[at:at] = data[at:at+rng.randint(1, 400)]
    else: del data[at:]
    return bytes(data)

def element_starts(data):
    "Where an element with a VR may begin, in the first 50 KB"
    return [found.start() for found in ELEMENT.finditer(data[:50_000])]

def change_elements(data, rng):
    "Tag, VR or length of one or two elements"
    data, starts = bytearray(data), element_starts(data)
    if not starts: return change_bytes(data, rng, 128)
    tags = b'\xfe\xff\0\xe0', b'\xe0\x7f\x10\0', rng.randbytes(4)
    lengths = b'\xff'*4, b'\0'*4, b'\xff\xff\xff\x7f', b'\xfe\xff\xff\xff', rng.randbytes(4)
    for _ in range(rng.randint(1, 2)):
        at, kind = rng.choice(starts), rng.randrange(4)
        if kind==0: data[at:at+4] = rng.choice(tags)
        elif kind==1: data[at+4:at+6] = rng.choice(VRS)
        elif kind==2: data[at+6:at+8] = rng.choice((b'\0\0', b'\xff\xff', b'\1\0', rng.randbytes(2), b'\xff\x7f'))
        else: data[at+8:at+12] = rng.choice(lengths)
    return bytes(data)

def change_codestream(data, rng):
    "The pixels: their first bytes, markers of a codestream, or anything in them"
    start = data.rfind(b'\xe0\x7f\x10\0')
    if start<0: return change_bytes(data, rng)
    data, kind = bytearray(data), rng.randrange(4)
    if kind==0: return change_bytes(data, rng, start)
    if kind==1:
        markers = [found.start() for found in re.finditer(rb'\xff[\x01-\xfe]', data[start:])]
        for at in rng.sample(markers, min(len(markers), rng.randint(1, 3))):
            place = start+at+rng.randint(1, 16)
            if place<len(data): data[place] = rng.choice((0, 1, 255, 127, rng.randrange(256)))
        return bytes(data)
    for _ in range(rng.randint(1, 8)):
        place = start+8+rng.randrange(200)
        if place<len(data): data[place] = rng.choice((0, 1, 255, rng.randrange(256)))
    return bytes(data)

def change_values(data, rng):
    "One to four values of the header, or elements taken away or added"
    from pydicom import dcmread
    from pydicom.dataelem import RawDataElement
    from pydicom.datadict import dictionary_VR
    from pydicom.tag import Tag
    ds = dcmread(BytesIO(data), force=True)
    for _ in range(rng.randint(1, 4)):
        known = rng.random()<.7
        tag = Tag(rng.choice(KEYWORDS)) if known or not len(ds) else rng.choice(list(ds.keys()))
        kind = rng.randrange(8)
        if kind==0: ds._dict.pop(tag, None)
        elif kind==1 and ds.file_meta: ds.file_meta.TransferSyntaxUID = rng.choice(TEXTS[-11:-8]).decode()
        else:
            try: vr = dictionary_VR(tag)[:2]
            except KeyError: vr = 'UN'
            binary = vr in ('US','SS','UL','SL','OW','OB','FD','FL','AT')
            value = rng.choice(BINARY if binary else NUMBERS if vr in ('DS','IS') else TEXTS)
            if kind==2: value = rng.choice(BINARY+NUMBERS+TEXTS)
            if kind==3: vr = rng.choice(VRS[:-1]).decode()
            if vr=='SQ': value = b''
            if len(value)>60_000 and vr not in ('UT','UC','OB','OW','UN'): value = value[:60_000]
            ds._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, *ds.original_encoding)
    out = BytesIO()
    ds.save_as(out, enforce_file_format=False)
    return out.getvalue()

DAMAGES = change_bytes, change_elements, change_values, change_values, change_codestream, change_codestream

def damaged_file(path, rng):
    "The bytes of the sample at `path`, damaged once or twice"
    data = path.read_bytes()
    for _ in range(rng.choice((1, 1, 1, 2))):
        if len(data)<200: return data
        try: data = rng.choice(DAMAGES)(data, rng)
        except Exception: data = change_bytes(data, rng)      # pydicom cannot write what it was given
    return data


# the worker: one line in, one line out

def sample_paths():
    "The files that are damaged, in a fixed order"
    from medical_imaging.testing.samples import sample_folders
    paths = [path for folder in sample_folders() for path in folder.rglob('*') if path.is_file()]
    fits = [path for path in paths if path.suffix in ('.dcm','') and 200<path.stat().st_size<=MAX_BYTES]
    return sorted(fits, key=lambda path: (path.name, str(path)))

def mutation(paths, seed, i):
    "File number `i` of the run with `seed`: its sample and its bytes"
    rng = random.Random(f'{seed} {i}')
    path = rng.choice(paths)
    return path, damaged_file(path, rng)

def limit_memory():
    "At most `MAX_MEMORY` more than this process has now"
    import resource
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages*resource.getpagesize()+MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def use_file(data):
    "Do with a file what a user does; (what became of it, the errors that are not of ours)"
    from medical_imaging.contrast.channels import to_nchan
    from medical_imaging.contrast.display import display_values
    from medical_imaging.contrast.explain import explain
    from medical_imaging.dicom_load import dcmread
    from medical_imaging.pixels.color import rgb8
    from medical_imaging.pixels.decode import is_color,stored_values
    from medical_imaging.pixels.frame import modality_values
    from medical_imaging.tables.header import header_dict
    from medical_imaging.tables.table import pixel_stats
    from medical_imaging.volumes.frames import read_slices
    from medical_imaging.volumes.grouping import group_slices
    wrong, refused = [], 0
    def attempt(name, f, *args):
        nonlocal refused
        try: return f(*args)
        except REFUSALS as e:
            last = traceback.extract_tb(e.__traceback__)[-1]
            if 'medical_imaging' not in last.filename: theirs.append(f'{name}: {type(e).__name__}: {str(e)[:100]}')
            refused += 1
        except Exception as e:
            last = traceback.extract_tb(e.__traceback__)[-3:]
            place = ' < '.join(f'{Path(o.filename).name}:{o.lineno}' for o in reversed(last))
            wrong.append(f'{name}: {type(e).__name__}: {str(e)[:150]} [{place}]')
    theirs = []
    ds = attempt('dcmread', dcmread, data)
    if ds is None: return 'not read', wrong, theirs
    attempt('read_slices', read_slices, BytesIO(data), 'file')
    def report(): return group_slices([('file', read_slices(BytesIO(data), 'file'), None)])[0].report
    attempt('series', lambda: report()._repr_html_())
    attempt('explain', lambda ds: explain(ds)._repr_markdown_(), ds)
    attempt('header_dict', header_dict, ds)
    before = refused
    attempt('stored_values', stored_values, ds)
    attempt('modality_values', modality_values, ds)
    attempt('display_values', display_values, ds)
    attempt('to_nchan', to_nchan, ds, ['brain',(400,40)])
    attempt('pixel_stats', pixel_stats, ds)
    if attempt('is_color', is_color, ds): attempt('rgb8', rgb8, ds)
    return 'pixels refused' if refused>=before+4 else 'opened', wrong, theirs

def work():
    "Read numbers of files, write what became of each"
    import cv2
    import torch
    warnings.simplefilter('ignore')
    faulthandler.enable()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    out = open(3, 'w', buffering=1)
    paths = sample_paths()
    use_file(paths[0].read_bytes())
    limit_memory()
    print('ready', file=out)
    for line in sys.stdin:
        seed, i = line.split()
        data = mutation(paths, seed, i)[1]
        began = time.monotonic()
        result, wrong, theirs = use_file(data)
        print(json.dumps([result, wrong, theirs, time.monotonic()-began, len(data)]), file=out)


# the run

class Worker:
    "A process that is started anew when a file has ended it"
    def __init__(self): self.process = None

    def start(self):
        import os
        ours, theirs = os.pipe()
        def keep_pipe(): os.dup2(theirs, 3)
        self.process = subprocess.Popen([sys.executable, __file__, '--work'], stdin=subprocess.PIPE, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=keep_pipe, pass_fds=(3,))
        os.close(theirs)
        self.answers = os.fdopen(ours)
        self.line(120)

    def line(self, seconds):
        "The next line of the process; '' where it has ended, `None` where it takes too long"
        return self.answers.readline() if select.select([self.answers], [], [], seconds)[0] else None

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.answers.close()
        self.process = None

    def try_file(self, seed, i):
        "What became of file `i`: its result, errors, seconds"
        if self.process is None: self.start()
        self.process.stdin.write(f'{seed} {i}\n')
        self.process.stdin.flush()
        line = self.line(MAX_SECONDS)
        if line: return json.loads(line)
        self.process.poll()
        if line=='': self.process.wait()
        name = 'hang' if line is None else 'death'
        why = f'over {MAX_SECONDS} s' if line is None else f'signal {-self.process.returncode}'
        self.stop()
        return [name, [why], [], MAX_SECONDS, 0]

def run_files(args, first):
    "Every `workers`-th file from `first` on"
    worker = Worker()
    try: return [(i, *worker.try_file(args.seed, i)) for i in range(first, args.start+args.n, args.workers)]
    finally: worker.stop()

def report(args, results, seconds):
    "Print the counts and what went wrong; is anything wrong?"
    counts = Counter(result for _, result, *_ in results)
    others = [(i, w) for i, result, wrong, *_ in results if result not in ('death','hang') for w in wrong]
    slowest = max(results, key=lambda o: o[4])
    print(f'{len(results)} files, seed {args.seed}, {seconds:.0f} s: {counts["opened"]} opened, '
        f'{counts["pixels refused"]} opened but their pixels refused, {counts["not read"]} refused; '
        f'{counts["death"]} deaths, {counts["hang"]} hangs over {MAX_SECONDS} s, '
        f'{len({i for i, _ in others})} with other exceptions; slowest {slowest[4]:.1f} s (file {slowest[0]})')
    paths = sample_paths()
    bad = [(i, f'{result}: {w}' if result in ('death','hang') else w)
        for i, result, wrong, *_ in results for w in wrong]
    kinds = {}
    for i, text in bad: kinds.setdefault(re.sub(r'\d+', '0', text) if args.group else text, []).append((i, text))
    for same in sorted(kinds.values(), key=len, reverse=True)[:60]:
        i, text = same[0]
        print(f'  {len(same)} x  file {i} of {mutation(paths, args.seed, i)[0].name}: {text}')
    if args.theirs:
        for text, n in Counter(text for *_, theirs, _, _ in results for text in theirs).most_common(40):
            print(f'  message not of ours, {n} x  {text}')
    if args.keep: keep_files(args, paths, {i for i, _ in bad})
    return bool(bad)

def keep_files(args, paths, numbers):
    args.keep.mkdir(parents=True, exist_ok=True)
    for i in sorted(numbers): (args.keep/f'{args.seed}_{i}.dcm').write_bytes(mutation(paths, args.seed, i)[1])

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('n', nargs='?', type=int, default=500, help='how many files')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--start', type=int, default=0, help='number of the first file')
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--keep', type=Path, help='folder for the files that fail')
    parser.add_argument('--group', action='store_true', help='count failures that differ in numbers only as one')
    parser.add_argument('--theirs', action='store_true', help='list errors whose message comes from another library')
    args = parser.parse_args()
    began = time.monotonic()
    with ThreadPoolExecutor(args.workers) as pool:
        parts = pool.map(lambda first: run_files(args, args.start+first), range(args.workers))
        results = sorted(one for part in parts for one in part)
    sys.exit(report(args, results, time.monotonic()-began))

if __name__=='__main__':
    if '--work' in sys.argv: work()
    else: main()
