"Segmentations and contours to masks, ours and theirs"
import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from medical_imaging.labels.contours import contours_mask
from medical_imaging.labels.rtstruct import read_rtstruct,roi_mask
from medical_imaging.labels.seg import read_seg,segment_masks
from medical_imaging.testing.annotated import circle_contour,rtstruct_phantom,seg_phantom
from medical_imaging.testing.phantoms import ct_series
from medical_imaging.series import group_series

import highdicom as hd
import numpy as np
from skimage.draw import polygon2mask

from harness import Comparison,Topic,Way

warnings.simplefilter('ignore')
topic = Topic('Annotations')
tmp,n_slices,size = TemporaryDirectory(),60,256

@cache
def scan():
    "A drawn CT, on disk; its data sets and its volume"
    images,folder = ct_series(n_slices, size=size, spacing=3.),Path(tmp.name)/'scan'
    folder.mkdir()
    for k,ds in enumerate(images): ds.save_as(folder/f'{k:03}.dcm', enforce_file_format=True)
    return images,group_series(folder, progress=False)[0].volume()

@cache
def balls():
    "Five masks that overlap"
    z,y,x = np.ogrid[:n_slices,:size,:size]
    return {f'ball {k}': ((z-n_slices/2)/n_slices*2)**2+((y-60-20*k)/50)**2+((x-128)/50)**2<1 for k in range(5)}

@cache
def seg_file(kind):
    path = Path(tmp.name)/f'{kind}.dcm'
    seg_phantom(scan()[0], balls(), kind).save_as(path, enforce_file_format=True)
    return path

def by_ours(path, volume): return [*segment_masks(read_seg(path), volume).values()]

def by_highdicom(path, volume):
    grid = hd.VolumeGeometry(affine=volume.affine, spatial_shape=volume.shape, coordinate_system='PATIENT')
    return hd.seg.segread(path).get_volume().match_geometry(grid).array

def segments_first(array): return np.moveaxis(array, -1, 0)[-len(balls()):]       # a label map has the background first

@topic.time
def segmentations():
    note = 'From a file, which the system holds in memory, to a mask for each segment on the grid of the scan.'
    for kind in ('BINARY','LABELMAP'):
        path,volume = seg_file(kind),scan()[1]
        image = dict(name=f'{kind}, 5 segments', shape=list(volume.shape), dtype='bool', bytes=path.stat().st_size)
        ways = [Way('read_seg, segment_masks', segment_masks, 'medical_imaging.labels.seg', (path,volume), by_ours),
            Way('highdicom segread, get_volume, match_geometry', hd.seg.segread, 'highdicom', (path,volume),
                by_highdicom, same=0., part=segments_first)]
        yield Comparison('A SEG to masks', image, ways, note)

@cache
def region():
    "Contours of a ring with 400 corners each, in six slices, and the file they are in"
    heights = [float(ds.ImagePositionPatient[2]) for ds in scan()[0][20:26]]
    contours = [circle_contour((.3,.2,z), r, 400) for z in heights for r in (120,70)]
    path = Path(tmp.name)/'rt.dcm'
    rtstruct_phantom(scan()[0], {'ring': contours}).save_as(path, enforce_file_format=True)
    return read_rtstruct(path)[0],path

def by_skimage(contours, volume):
    mask = np.zeros(volume.shape, bool)
    for contour in contours:
        index = volume.index(contour)
        mask[round(index[0,0])] ^= polygon2mask(volume.shape[1:], index[:,1:])
    return mask

def masks_of(res): return res.mask

@topic.time
def rasterizers():
    roi,volume = region()[0],scan()[1]
    image = dict(name='ring, 12 contours of 400 corners', shape=list(volume.shape), dtype='bool',
        bytes=sum(contour.nbytes for contour in roi.contours))
    ways = [Way('contours_mask', contours_mask, 'medical_imaging.labels.contours',
            (roi.contours,volume.affine,volume.shape), part=masks_of),
        Way('skimage polygon2mask', polygon2mask, 'skimage', (roi.contours,volume), by_skimage, same=0.,
            note='one contour at a time, combined by exclusive or')]
    yield Comparison('Contours to a mask', image, ways, 'From points in mm to a mask on the grid of the scan.')

@topic.time
def structure_sets():
    "rt-utils is measured where it is installed: it brings another OpenCV along"
    if not find_spec('rt_utils'): return
    from rt_utils import RTStructBuilder
    roi,path = region()
    volume = scan()[1]
    theirs = RTStructBuilder.create_from(str(Path(tmp.name)/'scan'), str(path))
    image = dict(name='ring, 12 contours of 400 corners', shape=list(volume.shape), dtype='bool',
        bytes=path.stat().st_size)
    ways = [Way('roi_mask', roi_mask, 'medical_imaging.labels.rtstruct', (roi,volume), part=masks_of),
        Way('rt-utils get_roi_mask_by_name', type(theirs).get_roi_mask_by_name, 'rt_utils', (theirs,'ring'),
            note='paints the edge, too: its masks are larger')]
    yield Comparison('A region of a structure set to a mask', image, ways, 'The file is open, and the scan is read.')
