"Draw the pictures of the gallery on the first page, static/gallery_*.jpg: python tools/gallery.py [NAME...]"
import shutil
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from pydicom.uid import ExplicitVRLittleEndian

from medical_imaging.contrast.channels import to_nchan
from medical_imaging.contrast.display import display_values
from medical_imaging.dicom_load import dcmread
from medical_imaging.histogram_scaling import hist_scaled
from medical_imaging.masks import body_mask,mask_overlay
from medical_imaging.pixels.decode import stored_values
from medical_imaging.pixels.frame import modality_values
from medical_imaging.prepare import prepare
from medical_imaging.privacy.blank import blank_pixels,region_boxes
from medical_imaging.regions.crops import mask2bbox
from medical_imaging.series import group_series
from medical_imaging.testing.phantoms import chest_phantom,ct_series,cxr_phantom
from medical_imaging.testing.samples import sample_file
from medical_imaging.windowing import dicom_windows

static = Path(__file__).resolve().parent.parent/'static'
WIDTH,HEIGHT = 480,360
amber = np.array([251,191,36])/255

def fit(px, width=WIDTH, height=HEIGHT):
    "`px`, in [0,1], as large as it fits into `width` x `height`, in color, black around it"
    px = np.asarray(px, np.float32)
    if px.ndim==2: px = np.repeat(px[...,None], 3, -1)
    scale = min(width/px.shape[1], height/px.shape[0])
    size = min(width, round(px.shape[1]*scale)),min(height, round(px.shape[0]*scale))
    px = cv2.resize(px, size, interpolation=cv2.INTER_AREA if scale<1 else cv2.INTER_CUBIC)
    top,left = (height-size[1])//2,(width-size[0])//2
    return np.pad(px.clip(0, 1), ((top,height-size[1]-top),(left,width-size[0]-left),(0,0)))

def side_by_side(*pictures): return np.concatenate([fit(px, WIDTH//len(pictures)) for px in pictures], 1)

def halves(left, right):
    "The left half of one picture beside the right half of another of the same shape, a bright line between them"
    px = fit(np.concatenate([left[:,:left.shape[1]//2], right[:,left.shape[1]//2:]], 1))
    px[:,WIDTH//2-1:WIDTH//2+1] = amber
    return px

def head(): return dcmread(sample_file('693_UNCR'))
def abdomen(): return dcmread(sample_file('explicit_VR-UN'))
def shades(hu, lo=-1000, hi=400): return ((np.asarray(hu, float)-lo)/(hi-lo)).clip(0, 1)

def windows():
    "A head in a brain window on the left and in a bone window on the right"
    hu = modality_values(head())[40:480]
    return halves(*(np.asarray(dicom_windows[name](hu)) for name in ('brain','bone')))

def scaling():
    "A radiograph with its stored values on the left and histogram-scaled on the right"
    px = stored_values(dcmread(sample_file('RG1_UNCR')))[::2,::2]
    stored = (px-px.min())/np.ptp(px)
    return halves(1-stored, 1-np.asarray(hist_scaled(px)))

def channels():
    "An abdomen in three windows, as red, green and blue"
    px = to_nchan(abdomen(), ['medgemma_wide','medgemma_soft','medgemma_brain'], bins=0)
    return fit(np.moveaxis(np.asarray(px), 0, -1)[110:430,45:472])

def masks():
    "An abdomen on its table, the body in color"
    hu = np.asarray(modality_values(abdomen()))
    return fit(mask_overlay(hu, body_mask(hu), vmin=-1000, vmax=300)[100:450,22:490])

def crops():
    "A head with the box around its body"
    hu = np.asarray(modality_values(head()))
    px = fit(shades(hu, -1024, 300))
    (top,left),(bottom,right) = np.asarray(mask2bbox(body_mask(hu)))*HEIGHT/hu.shape[0]
    edge = round((WIDTH-HEIGHT)/2)
    corners = (round(left)+edge,round(top)),(round(right)+edge,round(bottom))
    outside = np.ones((HEIGHT,WIDTH), bool)
    outside[corners[0][1]:corners[1][1],corners[0][0]:corners[1][0]] = False
    px[outside] *= .35
    return cv2.rectangle(px, *corners, amber.tolist(), 2)

def saved(datasets, folder):
    "Data sets as files of a folder"
    for i,ds in enumerate(datasets): ds.save_as(Path(folder)/f'{i:03}.dcm', enforce_file_format=True)
    return folder

def sagittal(values, spacing):
    "A cut from the side, feet down, with square pixels"
    cut = values[::-1,55:205,int(values.shape[2]*.36)]
    return shades(cv2.resize(cut, (cut.shape[1],round(len(cut)*spacing[0]/spacing[1])), interpolation=cv2.INTER_AREA))

def series():
    "A drawn chest from the side: its slices by name, and by position"
    with tempfile.TemporaryDirectory() as d:
        found, = group_series(saved(ct_series(70, size=256, spacing=5., shuffled=True), d), progress=False)
        volume = found.volume()
        by_name = np.stack([np.asarray(modality_values(dcmread(fn))) for fn in sorted(Path(d).iterdir())])
    return side_by_side(*(sagittal(values, volume.spacing) for values in (by_name,volume.values)))

@cache
def chest():
    "HU, lungs and bones of a drawn chest, head first, in voxels of 400/256 mm"
    slices = [chest_phantom(256, z=z) for z in np.arange(175, -175, -400/256)]
    return [np.stack(px) for px in zip(*((o.hu, o.masks['lung'], o.masks['bone']) for o in slices))]

def three_planes(px):
    "The front on the left, an axial plane and the side on the right"
    right = fit(px[110,55:215,20:236], WIDTH//2, HEIGHT//2),fit(px[:,55:205,92], WIDTH//2, HEIGHT//2)
    return np.concatenate([fit(px[:,118,38:218], WIDTH//2), np.concatenate(right)], 1)

def planes():
    "Three planes of a drawn chest"
    return three_planes(shades(chest()[0]))

def annotations():
    "Three planes of a drawn chest, lungs and bones in color"
    hu,lung,bone = chest()
    labels = np.where(bone, 2, lung.astype(int))
    flat = mask_overlay(hu.reshape(-1, hu.shape[2]), labels.reshape(-1, hu.shape[2]), vmin=-1000, vmax=400, alpha=.5)
    return three_planes(flat.reshape(*hu.shape, 3))

def prepared():
    "Twelve pictures that `prepare` made of sample files"
    names = '''693_UNCR explicit_VR-UN RG1_UNCR MR2_UNCR examples_ybr_color RG3_UNCR bad_sequence CT_small
        J2K_pixelrep_mismatch examples_palette MR_small OBXXXX1A'''.split()
    with tempfile.TemporaryDirectory() as d:
        src,dst = Path(d)/'src',Path(d)/'dst'
        src.mkdir()
        for name in names: shutil.copy(sample_file(name), src/f'{name}.dcm')
        prepare(src, dst, size=114, fit='pad', names='file', n_workers=1, progress=False)
        made = [cv2.imread(str(min((dst/'images').glob(f'{name}*.png'))))[...,::-1]/255 for name in names]
    cells = [np.pad(fit(px, 114, 114), ((3,3),(3,3),(0,0))) for px in made]
    return np.concatenate([np.concatenate(cells[i:i+4], 1) for i in (0,4,8)])

def fan(height, width):
    "Speckle in the shape of an ultrasound image"
    y,x = np.mgrid[:height,:width]
    down,right = y+.12*height,x-width/2
    depth,angle = np.hypot(down, right)/height,np.arctan2(right, down)
    speckle = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(height,width)), None, 1.6)
    echo = .42+.9*speckle+.25*np.sin(9*depth+3*angle)-.5*(((depth-.62)/.16)**2+((angle-.12)/.2)**2<1)
    return (echo*200*((abs(angle)<.44) & (depth>.25) & (depth<1.05))).clip(0, 255).astype(np.uint8)

def privacy():
    "A drawn ultrasound image with a name in its pixels: as it came, and blank outside of its regions"
    ds = dcmread(sample_file('OBXXXX1A'))
    (left,top,right,bottom),_ = region_boxes(ds)
    px = np.zeros(ds.pixel_array.shape, np.uint8)
    px[top:bottom,left:right] = fan(bottom-top, right-left)
    cv2.putText(px, 'DOE^JANE 1970', (250,45), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 255, 3, cv2.LINE_AA)
    ds.PixelData,ds['PixelData'].VR = px.tobytes(),'OB'
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return side_by_side(*(o[:540,235:685]/255 for o in (px,blank_pixels(ds).stored)))

def pneumothorax():
    "Drawn radiographs, the pneumothorax outlined"
    pictures = []
    for seed in (3,8):
        ray = cxr_phantom(pneumothorax=True, size=512, seed=seed)
        px = np.repeat(ray.px[...,None]/255., 3, -1).astype(np.float32)
        edges,_ = cv2.findContours(np.uint8(ray.mask), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        pictures.append(cv2.drawContours(px, edges, -1, amber.tolist(), 5))
    return side_by_side(*pictures)

def faults():
    "A spine: as its file says, and with the bytes of each value swapped"
    ds = dcmread(sample_file('bad_sequence'))
    px = stored_values(ds)
    wrong = px.byteswap().astype(float)
    return side_by_side(np.asarray(display_values(ds)), (wrong-wrong.min())/np.ptp(wrong))

pictures = {o.__name__:o for o in (windows, scaling, channels, masks, crops, series, planes, annotations, prepared,
    privacy, pneumothorax, faults)}

if __name__=='__main__':
    warnings.simplefilter('ignore')
    for name in sys.argv[1:] or pictures:
        fn = static/f'gallery_{name}.jpg'
        px = np.rint(pictures[name]().clip(0, 1)*255).astype(np.uint8)
        cv2.imwrite(str(fn), px[...,::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
        print(f'static/{fn.name} {fn.stat().st_size//1024} KB')
