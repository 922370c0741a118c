"Histogram scaling, ours and theirs"
from pydicom.dataset import Dataset
from medical_imaging.histogram_scaling import freqhist_bins,hist_scaled

import kornia
import skimage.exposure
import torch
import torchvision.transforms.functional as tvf
from fastai.medical import imaging as fm  # noqa: F401, it patches Tensor and Dataset
from monai.transforms import HistogramNormalize

from harness import Comparison,Topic,Way,methods
from images import decoded,describe,fractional,names,opened,stored,unit,values,whole

dataset_hist_scaled = methods['hist_scaled']
fai,mi = 'fastai.medical.imaging','medical_imaging.histogram_scaling'
fai_dataset,fai_tensor,fai_bins = Dataset.hist_scaled,torch.Tensor.hist_scaled,torch.Tensor.freqhist_bins
topic = Topic('Histogram scaling')

@topic.time
def files():
    "Dataset.hist_scaled, from stored values to [0,1]"
    for name in names:
        img = describe(name, stored(name))
        for task,ds,note in (('A Dataset just opened', lambda: (opened(name),),
            'Both decode the pixels, find the bins and map. Opening the file is not timed.'),
            ('A Dataset decoded before', (decoded(name),), 'Both find the array that pydicom keeps in the Dataset: '
            'bins and mapping.')):
            yield Comparison(task, img,
                [Way('Dataset.hist_scaled', dataset_hist_scaled, mi, ds),
                Way('fastai Dataset.hist_scaled', fai_dataset, fai, ds, same=1e-6)], note)

@topic.time
def stored_arrays():
    for name in names:
        px,x = stored(name),values(name)
        yield Comparison('Decoded values, without the file', describe(name, px),
            [Way('hist_scaled', hist_scaled, mi, (px,)),
            Way('fastai Tensor.hist_scaled', fai_tensor, fai, (x,), same=1e-6)],
            "Bins and mapping alone: ours of the 16-bit array, through a table, and fastai's of the float tensor that "
            "it makes of one.")

@topic.time
def tensors():
    "Float tensors of whole numbers, beside other ways to equalise an image"
    for name in names:
        x = whole(name)
        u = unit(x)
        u8 = (u*255).round().to(torch.uint8)
        yield Comparison('A float tensor of whole numbers', describe(name, x),
            [Way('hist_scaled', hist_scaled, mi, (x,)),
            Way('fastai Tensor.hist_scaled', fai_tensor, fai, (x,), same=1e-6),
            Way('skimage equalize_hist', skimage.exposure.equalize_hist, 'skimage', (x.numpy(),),
            note='256 bins of equal width'),
            Way('MONAI HistogramNormalize', HistogramNormalize(max=1), 'monai', (x,), note='256 bins of equal width'),
            Way('kornia equalize', kornia.enhance.equalize, 'kornia', (u[None,None],),
            note='of values in [0,1], 256 bins of equal width'),
            Way('torchvision equalize', tvf.equalize, 'torchvision', (u8[None],), note='of 8 bits')],
            'Each is given the image ready in the form that it wants. Only fastai computes the same thing.', seconds=3)

@topic.time
def fractions():
    for name in names:
        x = fractional(name)
        yield Comparison('A float tensor with fractions', describe(name, x),
            [Way('hist_scaled', hist_scaled, mi, (x,)),
            Way('fastai Tensor.hist_scaled', fai_tensor, fai, (x,), same=1e-6)],
            'As after resampling: no table can serve, the values must be sorted.')

@topic.time
def given_bins():
    for name in names:
        x = whole(name)
        brks = fai_bins(x)
        yield Comparison('Bins given', describe(name, x),
            [Way('hist_scaled', hist_scaled, mi, (x,brks)),
            Way('fastai Tensor.hist_scaled', fai_tensor, fai, (x,brks), same=1e-6)],
            'The mapping of a float tensor of whole numbers through bins that are known.')

@topic.time
def bins_alone():
    for task,get in (('Bins alone, of whole numbers', whole), ('Bins alone, with fractions', fractional)):
        for name in names:
            x = get(name)
            yield Comparison(task, describe(name, x),
                [Way('freqhist_bins', freqhist_bins, mi, (x,)),
                Way('fastai Tensor.freqhist_bins', fai_bins, fai, (x,), same=0.)],
                'The breakpoints, without the mapping.')

def batch_of(x, n=16):
    "`n` images that differ, float32"
    gen = torch.Generator().manual_seed(0)
    return torch.stack([x*(.5+torch.rand(1, generator=gen))+torch.rand(x.shape, generator=gen) for _ in range(n)])

def per_image(x): return hist_scaled(x, per_image=True)
def fai_loop(x): return torch.stack([fai_tensor(o) for o in x])

def batch_ways(x, same=1e-6):
    return [Way('hist_scaled(per_image=True)', hist_scaled, mi, (x,), per_image),
        Way("loop over fastai's Tensor.hist_scaled", fai_tensor, fai, (x,), fai_loop, same=same)]

@topic.time
def batches():
    x = batch_of(whole('693_UNCR'))
    yield Comparison('A batch, each image with its own bins', describe('693_UNCR', x), batch_ways(x),
        '16 different images of float32 with fractions.', seconds=4)

@topic.time
def on_a_gpu():
    if not torch.cuda.is_available(): return
    pt = torch.Tensor.hist_scaled_pt
    for name in names:
        x = fractional(name).cuda()
        yield Comparison('On a GPU', describe(name, x),
            [Way('hist_scaled', hist_scaled, mi, (x,)), Way('fastai Tensor.hist_scaled_pt', pt, fai, (x,), same=2e-6)],
            'The tensor and the result stay on the GPU. fastai takes another function there than on the CPU.',
            device='cuda')
    x = batch_of(whole('693_UNCR')).cuda()
    yield Comparison('On a GPU, a batch', describe('693_UNCR', x),
        [Way('hist_scaled(per_image=True)', hist_scaled, mi, (x,), per_image),
        Way("loop over fastai's hist_scaled_pt", pt, fai, (x,), lambda o: torch.stack([pt(i) for i in o]), same=2e-6)],
        '16 different images, each with its own bins.', device='cuda')

@topic.peak
def memory():
    for name in names[:2]:
        px = stored(name)
        yield Comparison('Dataset.hist_scaled', describe(name, px),
            [Way('Dataset.hist_scaled', dataset_hist_scaled, mi, lambda: (opened(name),)),
            Way('fastai Dataset.hist_scaled', fai_dataset, fai, lambda: (opened(name),))])
        yield Comparison('Decoded values', describe(name, px), [Way('hist_scaled', hist_scaled, mi, (px,))])
    for task,get in (('A float tensor of whole numbers', whole), ('A float tensor with fractions', fractional)):
        x = get(names[0])
        yield Comparison(task, describe(names[0], x),
            [Way('hist_scaled', hist_scaled, mi, (x,)), Way('fastai Tensor.hist_scaled', fai_tensor, fai, (x,)),
            Way('skimage equalize_hist', skimage.exposure.equalize_hist, 'skimage', (x.numpy(),))])
    x = batch_of(whole('693_UNCR'))
    yield Comparison('A batch, each image with its own bins', describe('693_UNCR', x), batch_ways(x, None))
