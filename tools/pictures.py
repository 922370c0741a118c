"Draw the pictures in static/, each as SVG and PNG: python tools/pictures.py [NAME...]"
import sys,tempfile
from pathlib import Path

import matplotlib
matplotlib.use('Agg')
import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch

from medical_imaging.dicom_load import dcmread
from medical_imaging.histogram_scaling import freqhist_bins,hist_scaled
from medical_imaging.testing.phantoms import cxr_phantom
from medical_imaging.pixels.decode import stored_values
from medical_imaging.pixels.frame import modality_values,padding_mask
from medical_imaging.testing.samples import sample_file,siim_phantom

static = Path(__file__).resolve().parent.parent/'static'
ink,soft,line,card = '#1f2937','#64748b','#cbd5e1','#ffffff'
blue,teal,amber,violet = '#2563eb','#0f766e','#b45309','#6d28d9'
tint = {blue:'#eff6ff', teal:'#f0fdfa', amber:'#fffbeb', violet:'#f5f3ff', soft:'#f8fafc'}
# glyphs are drawn as paths from the font that matplotlib carries; a fixed salt makes the ids in the SVG the same
style = {
    'font.family': 'DejaVu Sans', 'font.size': 9, 'svg.fonttype': 'path', 'svg.hashsalt': 'medical_imaging',
    'text.color': ink, 'axes.edgecolor': line, 'axes.labelcolor': ink, 'xtick.color': soft, 'ytick.color': soft,
    'axes.spines.top': False, 'axes.spines.right': False}

def canvas(w, h):
    "A white card of `w` x `h` inches, with axes in units of an inch, y downwards"
    fig = plt.figure(figsize=(w,h))
    fig.patch.set_alpha(0)
    ax = fig.add_axes([0,0,1,1])
    ax.set(xlim=(0,w), ylim=(h,0)); ax.axis('off')
    box(ax, .05, .05, w-.1, h-.1, fc=card, ec=line, round=.12)
    return fig,ax

def box(ax, x, y, w, h, fc='white', ec=line, round=.07, lw=1, **kw):
    "A box with round corners, its upper left corner at `x`, `y`"
    look = dict(boxstyle=f'round,pad={round}', fc=fc, ec=ec, lw=lw)
    ax.add_patch(FancyBboxPatch((x+round,y+round), w-2*round, h-2*round, **look, **kw))

def node(ax, x, y, w, h, title, text='', color=blue):
    "A box with a title and a line or two of text"
    box(ax, x, y, w, h, fc=tint[color], ec=color, lw=1.2)
    ax.text(x+w/2, y+(.24 if text else h/2), title, ha='center', va='center', weight='bold', color=color, size=10)
    ax.text(x+w/2, y+.24+(h-.24)/2, text, ha='center', va='center', size=8, linespacing=1.35)

def arrow(ax, a, b, text='', color=blue, dash=False, at=None, **kw):
    "An arrow from `a` to `b`, with its text at `at`"
    look = dict(arrowstyle='-|>', color=color, lw=1.5, ls='--' if dash else '-')
    ax.annotate('', b, a, arrowprops=dict(**look, shrinkA=0, shrinkB=0, mutation_scale=12))
    look = dict(ha='center', va='center', size=7.5, color=color, linespacing=1.25) | kw
    if text: ax.text(*(at or ((a[0]+b[0])/2, a[1]-.1)), text, **look)

def picture(fig, x, y, w, h, img, **kw):
    "Axes with an image, its upper left corner at `x`, `y` inches"
    W,H = fig.get_size_inches()
    ax = fig.add_axes([x/W, 1-(y+h)/H, w/W, h/H])
    ax.imshow(img, cmap='gray', interpolation='antialiased', **kw)
    ax.axis('off')
    return ax

def Dicom_wf():
    "Radiology workflow, from the order to the training set"
    fig,ax = canvas(10.2, 4.55)
    box(ax, .2, .2, 9.8, 2.12, fc='#f8fafc', ec=line, round=.1)
    ax.text(.4, .44, 'In the hospital', weight='bold', size=10, color=soft, va='center')
    ax.text(1.68, .44, 'every object carries the name of the patient', size=8, color=soft, va='center')
    node(ax, .4, .7, 1.6, .95, 'Order', 'who, which\nexamination, why', amber)
    node(ax, 3.05, .7, 1.55, .95, 'Modality', 'CT, MR, X-ray,\nultrasound')
    node(ax, 5.5, .7, 1.55, .95, 'PACS', 'the archive: keeps,\nfinds, sends')
    node(ax, 8.1, .7, 1.7, .95, 'Viewer', 'a radiologist\nreads the images')
    arrow(ax, (2.0,1.17), (3.05,1.17), 'HL7 order,\nDICOM worklist', amber, True, (2.52,.93))
    arrow(ax, (4.6,1.17), (5.5,1.17), 'images\nC-STORE', at=(5.05,.93))
    arrow(ax, (7.05,1.17), (8.1,1.17), 'C-FIND, C-MOVE\nor DICOMweb', at=(7.57,.93))
    ax.plot([8.95,8.95,1.2], [1.65,1.92,1.92], color=amber, lw=1.5, ls='--')
    arrow(ax, (1.2,1.92), (1.2,1.65), '', amber, True)
    text = 'report, back to the health record: HL7 v2 or FHIR'
    ax.text(3.3, 2.07, text, size=7.5, color=amber, ha='center', va='center')
    box(ax, .2, 2.62, 9.8, 1.4, fc='#f0fdfa', ec=line, round=.1)
    ax.text(1.75, 2.86, 'In research', weight='bold', size=10, color=teal, va='center')
    ax.text(2.72, 2.86, 'what nobody needs to know is gone', size=8, color=soft, va='center')
    ax.plot([6.27,6.27,1.42], [1.65,2.47,2.47], color=blue, lw=1.5)
    arrow(ax, (1.42,2.47), (1.42,3.08))
    node(ax, .4, 3.08, 2.05, .8, 'De-identification', 'names, dates, burned-in\ntext out; UIDs replaced', teal)
    node(ax, 3.05, 3.08, 1.55, .8, 'Research copy', 'a folder of files', teal)
    node(ax, 5.35, 3.08, 1.85, .8, 'medical_imaging', 'tables, HU, images', violet)
    node(ax, 8.1, 3.08, 1.7, .8, 'Training', 'tensors in batches', violet)
    for a,b,c in ((2.45,3.05,teal),(4.6,5.35,teal),(7.2,8.1,violet)): arrow(ax, (a,3.48), (b,3.48), '', c)
    legend = ((.4, blue, False, 'DICOM: images'), (2.3, amber, True, 'HL7: orders and reports'),
        (4.9, teal, False, 'DICOM without the patient'), (7.65, violet, False, 'arrays and tables'))
    for x,c,dash,t in legend:
        ax.plot([x,x+.4], [4.25,4.25], color=c, lw=1.5, ls='--' if dash else '-')
        ax.text(x+.48, 4.25, t, size=8, va='center')
    return fig

def element(ds, tag, value):
    "Tag, VR, length in the file, and `value` for one element of a data set"
    e = ds.get_item(tag)
    n = e.length if hasattr(e, 'length') else len(str(e.value))+len(str(e.value))%2
    return f'({tag>>16:04X},{tag&0xffff:04X})',e.VR,n,value

def dicom_():
    "The parts of a DICOM file, from a real one"
    ds = dcmread(sample_file('CT_small'))
    fig,ax = canvas(8.6, 7.1)
    mono = dict(family='DejaVu Sans Mono', size=8, va='center')
    cols = (.5, 1.7, 2.18, 2.95)
    def part(y, h, title, note, color):
        box(ax, .3, y, 5.6, h, fc=tint[color], ec=color, lw=1.2)
        ax.text(6.1, y+.02, title, weight='bold', size=10, color=color, va='top')
        ax.text(6.1, y+.25, note, size=8, va='top', linespacing=1.4)
    def table(y, elems):
        for x,t in zip(cols, ('tag','VR','length','value')): ax.text(x, y, t, size=7.5, color=soft, va='center')
        for i,(tag,vr,n,val) in enumerate(elems):
            for x,t in zip(cols, (tag, vr, f'{n:,}', val)): ax.text(x, y+.25+.25*i, t, **mono)
    part(.3, .42, 'Preamble', '128 bytes, free for any use', soft)
    ax.text(.5, .51, '00 00 00 00 00 00 00 00 00 00 00 00  …', color=soft, **mono)
    part(.86, .42, 'Prefix', 'the 4 letters that make it DICOM', soft)
    ax.text(.5, 1.07, '44 49 43 4d', color=soft, **mono); ax.text(1.75, 1.07, 'D I C M', weight='bold', **mono)
    meta = 'group 0002: what kind of object\nfollows, and the transfer syntax\nin which it is written'
    part(1.42, 1.16, 'File meta information', meta, amber)
    meta_rows = ((0x00020002,'CT Image Storage'), (0x00020003,'1.3.6.1.4.1.5962.1.1.1…'),
        (0x00020010,'Explicit VR Little Endian'))
    table(1.6, [element(ds.file_meta, *o) for o in meta_rows])
    groups = ('elements in the order of their tags.\nGroup 0008: what and when,\n0010: the patient,\n'
        '0018: how it was acquired,\n0020: which study, and where,\n0028: how to read the pixels.\n'
        'Odd groups are private.')
    part(2.72, 3.36, 'Data set', groups, blue)
    rows = ((0x00080060,'CT'), (0x00100010,'CompressedSamples^CT1'), (0x00101002,'a sequence of 2 data sets'),
        (0x00280010,'128 rows'), (0x00280101,'16 bits stored'), (0x00281052,'rescale intercept -1024'))
    table(2.9, [element(ds, *o) for o in rows])
    ax.text(.5, 4.68, '…', **mono)
    tag,vr,n,_ = element(ds, 0x7fe00010, '')
    box(ax, .42, 4.82, 5.36, 1.16, fc='white', ec=blue)
    for x,t in zip(cols, (tag, vr, f'{n:,}', '128 x 128 pixels')): ax.text(x, 5.05, t, **mono)
    ax.text(.5, 5.4, ' '.join(f'{o:02x}' for o in ds.PixelData[:8])+' …', color=soft, **mono)
    ax.text(2.95, 5.4, '2 bytes each,\nthe lower one first', size=8, color=soft, va='center')
    picture(fig, 4.72, 4.86, 1.0, 1.08, modality_values(ds), vmin=-200, vmax=300)
    ax.text(6.1, 4.84, 'Pixel Data', weight='bold', size=10, color=blue, va='top')
    text = 'an element like the others, the\nlongest and nearly the last; group\n0028 says what its numbers mean'
    ax.text(6.1, 5.07, text, size=8, va='top', linespacing=1.4)
    ax.text(.3, 6.42, 'One element, byte by byte', weight='bold', size=9, va='center')
    pieces = ((2.45, 1.25, '28 00 10 00', 'tag (0028,0010)', blue), (3.8, .75, '55 53', 'VR US', teal),
        (4.65, .75, '02 00', 'length 2', amber), (5.5, .75, '80 00', '128 rows', violet))
    for x,w,b,t,c in pieces:
        box(ax, x, 6.25, w, .33, fc=tint[c], ec=c)
        ax.text(x+w/2, 6.42, b, ha='center', **mono)
        ax.text(x+w/2, 6.73, t, ha='center', va='center', size=8, color=c)
    return fig

def dicom():
    "The folders of a data set that `siim_phantom` writes"
    with tempfile.TemporaryDirectory() as d:
        path = siim_phantom(Path(d)/'siim', size=64)
        files = {o.name:sorted(p.name for p in o.iterdir()) for o in sorted((path/'train').iterdir())}
        who = {o[0]:dcmread(path/'train'/k/o[0]).PatientID for k,o in files.items()}
    fig,ax = canvas(8.6, 4.25)
    tree = [(0,'siim/',''), (1,'labels.csv','a line for each file: path and label'),
        (1,'train-rle.csv','a line for each mask, in run-length code'), (1,'train/','')]
    for k,names in files.items():
        tree += [(2,f'{k}/',f'{len(names)} files'), *((3,o,'') for o in names[:3]), (3,'…','')]
    at = lambda i: .4+.272*i
    for i,(depth,name,note) in enumerate(tree):
        below = [j for j in range(i+1, len(tree)) if all(o[0]>depth for o in tree[i+1:j+1]) and tree[j][0]==depth+1]
        for j in below: ax.plot([.4+.3*depth]*2+[.55+.3*depth], [at(i)+.12,at(j),at(j)], color=line, lw=1)
        folder = name[-1]=='/'
        look = dict(color=blue, weight='bold') if folder else dict(color=ink, weight='normal')
        ax.text(.3+.3*depth, at(i), name, family='DejaVu Sans Mono', size=9, va='center', **look)
        ax.text(2.75, at(i), note, size=8, color=soft, va='center')
    for i,(folder,names) in enumerate(files.items()):
        y = .3+1.84*i
        img = cxr_phantom(pneumothorax=folder=='Pneumothorax', seed=int(names[0][:-4]), patient=who[names[0]])
        pic = picture(fig, 5.3, y, 1.7, 1.7, img.px, vmin=0, vmax=255)
        ax.text(7.12, y+.14, folder, weight='bold', size=8.5, va='center')
        ax.text(7.12, y+.36, names[0], size=7.5, family='DejaVu Sans Mono', color=soft, va='center')
        if img.mask.any():
            pic.contour(img.mask, levels=[.5], colors='#fbbf24', linewidths=.9)
            ax.text(7.12, y+.62, 'outlined: its mask\nin train-rle.csv', size=8, color=amber, va='top', linespacing=1.3)
    return fig

def _radiograph():
    px = stored_values(dcmread(sample_file('RG1_UNCR')))
    return px,cv2.resize(px, (300,round(300*px.shape[0]/px.shape[1])), interpolation=cv2.INTER_AREA)

def _histogram(title, note, values, img, bins, xlabel, color):
    "The radiograph on the left, the histogram of all its pixels on the right"
    fig,ax = canvas(8.6, 3.85)
    ax.text(.3, .35, title, weight='bold', size=11, va='center', color=color)
    ax.text(.3, .6, note, size=8.5, va='center', color=soft)
    picture(fig, .3, .84, 2.5, 2.55, -img)       # MONOCHROME1: the lowest value is white
    ax.text(1.55, 3.56, 'MONOCHROME1: the lowest value is white', ha='center', va='center', size=7, color=soft)
    hist = fig.add_axes([3.6/8.6, .75/3.85, 4.6/8.6, 2.2/3.85], facecolor='none')
    n,edges = np.histogram(values, bins)
    hist.stairs(n/1000, edges, fill=True, color=color)
    hist.set(xlabel=xlabel, ylabel='thousand pixels', xlim=(edges[0],edges[-1]))
    hist.xaxis.set_major_formatter(lambda o,_: f'{o:,.0f}' if edges[-1]>1 else f'{o:.1f}')
    return fig

def hist1():
    "A chest radiograph and the histogram of its stored values"
    px,small = _radiograph()
    half = (np.median(px)-px.min())/np.ptp(px)
    text = f'{px.min():,} to {px.max():,}, and half of the pixels lie in the lowest {half:.0%} of that range'
    return _histogram('Before: stored values', text, px, small.astype(float), 100, 'stored value', blue)

def hist2():
    "The same after scaling its histogram"
    px,small = _radiograph()
    brks = freqhist_bins(px)
    px,small = hist_scaled(px, brks),hist_scaled(small, brks)
    text = '0 to 1; every step of the scale holds equally many pixels'
    return _histogram('After: histogram scaling', text, px, small, 50, 'scaled value', teal)

def steps():
    "One head CT from stored values to a display"
    ds = dcmread(sample_file('693_UNCR'))
    px,hu,pad = stored_values(ds),modality_values(ds).numpy(),padding_mask(ds).numpy()
    shown = (((hu-39.5)/79+.5).clip(0, 1))
    fig,ax = canvas(10.2, 3.3)
    at = lambda a: a[::2,::2].astype(float)
    cover = np.ma.masked_where(~at(pad).astype(bool), at(pad))
    wide = dict(vmin=-1100, vmax=1500)
    panels = [
        ('stored values', f'{px.min()} to {px.max()}', at(px), {}, blue),
        ('modality values', f'{hu.min():.0f} to {hu.max():.0f} HU', at(hu), wide, teal),
        ('padding', f'-3024 is no measurement: {pad.mean():.1%}', at(hu), wide, amber),
        ('display values', 'brain: width 80, center 40', at(shown), dict(vmin=0, vmax=1), violet)]
    for i,(title,note,img,kw,color) in enumerate(panels):
        x = .3+2.48*i
        pic = picture(fig, x, .3, 2.15, 2.15, img, **kw)
        if title=='padding': pic.imshow(cover, cmap=matplotlib.colors.ListedColormap([color]), alpha=.85)
        ax.text(x+1.075, 2.68, title, ha='center', va='center', weight='bold', color=color, size=10.5)
        ax.text(x+1.075, 2.92, note, ha='center', va='center', size=8.5)
        if i: arrow(ax, (x-.29,1.38), (x-.04,1.38), color=soft)
    return fig

pictures = {o.__name__:o for o in (Dicom_wf, dicom_, dicom, hist1, hist2, steps)}

if __name__=='__main__':
    static.mkdir(exist_ok=True)
    with plt.rc_context(style):
        for name in sys.argv[1:] or pictures:
            fig = pictures[name]()
            fig.savefig(static/f'{name}.svg', metadata=dict(Date=None, Creator=None), dpi=120)
            fig.savefig(static/f'{name}.png', metadata=dict(Software=None), dpi=150)
            plt.close(fig)
            sizes = [(static/name).with_suffix(o).stat().st_size//1024 for o in ('.svg','.png')]
            print(f'static/{name}', *(f'{size} KB' for size in sizes))
