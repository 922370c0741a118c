"Masks and crops, ours and theirs"
from pydicom.dataset import Dataset
from medical_imaging.regions.crops import crop_resize,mask2bbox
from medical_imaging.masks import body_mask,gauss_blur2d,mask_from_blur,uniform_blur2d

import skimage.measure
import skimage.morphology
import torch
from fastai.medical import imaging as fm   # patches Tensor and Dataset
from monai.transforms import CropForeground,Resize
from scipy import ndimage

from harness import Comparison,Topic,Way,methods
from images import decoded,describe,unit,values

dataset_mask = methods['mask_from_blur']
fai,mi = 'fastai.medical.imaging','medical_imaging'
fai_mask,fai_dataset_mask = torch.Tensor.mask_from_blur,Dataset.mask_from_blur
fai_window = torch.Tensor.windowed
topic = Topic('Masks and crops')
head,abdomen = '693_UNCR','explicit_VR-UN'
win = dict(zip((head,abdomen), ((80,40),(400,50))))

def chain(x, w, masks=mask_from_blur): return crop_resize(x, mask2bbox(masks(x, w)), 256)
def fai_chain(x, w): return fm.crop_resize(x, fm.mask2bbox(fai_mask(x, w)), 256)
def fai_chain_one(x, w):
    x = x[None]
    return fm.crop_resize(x, fm.mask2bbox(fai_mask(x, w)[None]), 256)
def body_chain(x): return crop_resize(x, mask2bbox(body_mask(x)), 256)

def many(n=32):
    "`n` slices that differ: two real ones, moved about"
    return torch.stack([values((head,abdomen)[i%2]).roll((3*i-48,2*i-32), (0,1)) for i in range(n)])

@topic.time
def one_slice():
    for name in (head,abdomen):
        x,w = values(name),win[name]
        monai = [CropForeground(select_fn=lambda o: o>-500),Resize((256,256))]
        yield Comparison('Mask, box and crop to 256, one slice', describe(name, x),
            [Way('mask_from_blur, mask2bbox, crop_resize', crop_resize, mi, (x,w), chain),
            Way("fastai's mask_from_blur, mask2bbox, crop_resize", fm.crop_resize, fai, (x,w), fai_chain_one,
            note='without antialiasing'),
            Way('ours with body_mask', crop_resize, mi, (x,), body_chain,
            note='the exact mask of a CT'),
            Way('MONAI CropForeground, Resize', monai[0], 'monai', (x[None],), lambda o: monai[1](monai[0](o)),
            note='a threshold alone, stretched')],
            "From a float tensor of HU to the crop. The masks of the first two agree, see below; fastai's crop takes "
            "one pixel in each place, ours means of all.")

@topic.time
def batches():
    x = many()
    yield Comparison('Mask, box and crop to 256, a batch', describe(head, x), [Way('mask_from_blur, mask2bbox, '
        'crop_resize', crop_resize, mi, (x,(400,50)), chain),
        Way("fastai's mask_from_blur, mask2bbox, crop_resize", fm.crop_resize, fai, (x,(400,50)), fai_chain)],
        '32 slices of float32, each with a box of its own.', seconds=8)

@topic.time
def masks_alone():
    for name in (head,abdomen):
        x,w = values(name),win[name]
        yield Comparison('mask_from_blur', describe(name, x),
            [Way('mask_from_blur', mask_from_blur, mi, (x,w)),
            Way('fastai mask_from_blur', fai_mask, fai, (x,w), note='at most 0.1 % of the pixels differ'),
            Way('fastai windowed, SciPy gaussian_filter', ndimage.gaussian_filter, 'scipy', (x,w), lambda o,
            w: ndimage.gaussian_filter(fai_window(o, *w).numpy(), .3*512)>.05, note='the real Gaussian, another mask')],
            'Window, blur and threshold of a float tensor of HU.')
        yield Comparison('mask_from_blur of a Dataset', describe(name, x),
            [Way('Dataset.mask_from_blur', dataset_mask, mi, (decoded(name),w)),
            Way('fastai Dataset.mask_from_blur', fai_dataset_mask, fai, (decoded(name),w))],
            'Both find the array that pydicom keeps in the Dataset. Ours leaves out padding.')

def by_skimage(x):
    m = skimage.morphology.opening(x.numpy()>-500, skimage.morphology.disk(2))
    labels = skimage.measure.label(m, connectivity=1)
    return ndimage.binary_fill_holes(labels==1+torch.bincount(torch.from_numpy(labels[labels>0]-1)).argmax().item())

def by_scipy(x):
    labels,_ = ndimage.label(ndimage.binary_opening(x.numpy()>-500, skimage.morphology.disk(2)))
    return ndimage.binary_fill_holes(labels==1+torch.bincount(torch.from_numpy(labels[labels>0]-1)).argmax().item())

@topic.time
def bodies():
    for name in (head,abdomen):
        x = values(name)
        yield Comparison('body_mask', describe(name, x),
            [Way('body_mask', body_mask, mi, (x,)),
            Way('fastai mask_from_blur', fai_mask, fai, (x,win[name]), note='a soft mask, with the table'),
            Way('the same steps by scikit-image', skimage.measure.label, 'skimage', (x,), by_skimage,
            note='a disk of 2 pixels'),
            Way('the same steps by SciPy', ndimage.label, 'scipy', (x,), by_scipy, note='a disk of 2 pixels')],
            'Threshold, opening, largest piece, holes filled.')

@topic.time
def blurs():
    for name in (head,'RG1_UNCR'):
        x = unit(values(name))
        yield Comparison('uniform_blur2d, 77 pixels', describe(name, x),
            [Way('uniform_blur2d', uniform_blur2d, mi, (x,77)),
            Way('fastai uniform_blur2d', fm.uniform_blur2d, fai, (x,77), note='zeros beyond the edge'),
            Way('SciPy uniform_filter', ndimage.uniform_filter, 'scipy', (x.numpy(),77), lambda o,
            k: ndimage.uniform_filter(o, k, mode='nearest'), same=2e-6)], 'A box blur, whose time does not depend on '
            'its width.')
    x = unit(values(head))
    yield Comparison('gauss_blur2d, sigma 4', describe(head, x),
        [Way('gauss_blur2d', gauss_blur2d, mi, (x,4)),
        Way('SciPy gaussian_filter', ndimage.gaussian_filter, 'scipy', (x.numpy(),4), lambda o,
        s: ndimage.gaussian_filter(o, s, mode='nearest'), same=2e-6)],
        'Both reach 4 sigmas.')

@topic.time
def on_a_gpu():
    if not torch.cuda.is_available(): return
    x = many().cuda()
    yield Comparison('On a GPU: mask, box and crop to 256, a batch', describe(head, x),
        [Way('mask_from_blur, mask2bbox, crop_resize', crop_resize, mi, (x,(400,50)), chain),
        Way("fastai's mask_from_blur, mask2bbox, crop_resize", fm.crop_resize, fai, (x,(400,50)), fai_chain)],
        '32 slices of float32; the crops stay on the GPU.', device='cuda')
