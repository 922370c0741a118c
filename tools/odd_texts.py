"""Pages of everything that shows text of a file, made of files whose text would run a script, end a cell or turn a line

`browser_test.py` opens them in Chromium. `write_pages(folder)` makes them; a class of the package that shows itself in
a notebook, and is not among them, is an error."""
import importlib
import pkgutil
import warnings
from pathlib import Path

import numpy as np
from markdown_it import MarkdownIt

import medical_imaging

RUN = 'window.ran=1'
ODD = (f'<script>{RUN}</script>"\'><img src=x onerror="{RUN}"></title></style></script><svg onload={RUN}>|a|b|\n\n'
    f'# $\\frac{{$ $$x$$ [l](javascript:{RUN}) {{{{7*7}}}} \u202eRTL\u2066\x1b[31m\x07\x00`*_~&lt;=1+1')
TEXTS = '''Modality PatientID PatientName StudyDescription SeriesDescription SeriesInstanceUID StudyInstanceUID
    FrameOfReferenceUID Manufacturer RescaleType WindowCenterWidthExplanation SOPInstanceUID PatientBirthDate
    PatientSex BodyPartExamined ProtocolName ImageType StationName SeriesDate'''.split()
SHOWN = '''Explanation SeriesReport SeriesList ClinicalReport Quality Explorer PhiReport
    Annotations'''.split()

def odd_dataset(i):
    "A small CT slice, number `i`, with odd text in every element that a user sees"
    from pydicom.datadict import dictionary_VR
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag
    from medical_imaging.testing.phantoms import ct_slice
    ds = ct_slice(np.arange(1024).reshape(32, 32)-512+i, WindowCenter=40, WindowWidth=80)
    ds.ImagePositionPatient, ds.InstanceNumber = [0, 0, i], i
    for keyword in TEXTS:
        tag, value = Tag(keyword), ODD.replace('\\', '/').encode()
        if keyword=='SOPInstanceUID': value += b'%d' % i
        ds._dict[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    return ds

def write_files(folder):
    "Odd files, one of which is broken, under odd names"
    folder.mkdir()
    for i in range(3):
        name = ('=1+1 ', '@', '-')[i]+ODD.replace('/', ' ').replace('\0', '')[:90]+'.dcm'
        odd_dataset(i).save_as(folder/name, enforce_file_format=True)
    broken = next(iter(sorted(folder.iterdir())))
    (folder/f'<img src=x onerror={RUN}>.dcm').write_bytes(broken.read_bytes()[:-500])
    return sorted(folder.iterdir())

def classes():
    "Names of the classes of the package that show themselves as HTML or Markdown"
    for found in pkgutil.walk_packages(medical_imaging.__path__, 'medical_imaging.'):
        if found.name.endswith(('._modidx','.fastai_compat')): continue
        for name, kind in vars(importlib.import_module(found.name)).items():
            own = isinstance(kind, type) and kind.__module__==found.name
            if own and {'_repr_html_','_repr_markdown_'} & set(vars(kind)): yield name

def notebook_html(shown):
    "What a notebook makes of an object"
    if not hasattr(shown, '_repr_markdown_'): return shown._repr_html_()
    return MarkdownIt('commonmark').enable('table').render(shown._repr_markdown_())

def odd_annotations():
    "A region with odd names, in a file that has one"
    from fastcore.foundation import L
    from medical_imaging.annotations import Annotations, Region
    from medical_imaging.labels.rtstruct import Roi
    square = np.array([[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0]], float)
    region = Region(ODD, ODD, 'RTSTRUCT', Roi(1, ODD, [square], code=ODD), ODD)
    return Annotations(L([region]), unreadable={ODD: ODD}, aliases={f'{ODD} ': 'x'})

def shown_objects(paths):
    "Name and object, of everything that shows text of the files"
    from medical_imaging.contrast.explain import explain
    from medical_imaging.deidentify import phi_report
    from medical_imaging.dicom_load import dcmread
    from medical_imaging.pipeline.quality import quality_report
    from medical_imaging.series import group_series
    from medical_imaging.tables.table import dicom_table
    from medical_imaging.training.metrics import ClinicalReport
    from medical_imaging.view.explore import explore
    from medical_imaging.volumes.planes import explore_volume
    from medical_imaging.volumes.volume import Volume
    import pandas as pd
    ds, table = dcmread(paths[0]), dicom_table(paths, px_summ=True, n_workers=0, progress=False)
    series = group_series(paths, progress=False)
    explorer = explore(np.eye(8), windows={ODD: (80, 40)}, title=ODD, unit=ODD, masks={ODD: np.eye(8)})
    table['split'] = [f'{ODD}{i%2}' for i in range(len(table))]
    yield 'Explanation', explain(ds)
    yield 'SeriesList', series
    yield 'SeriesReport', series[0].report
    yield 'table', table
    yield 'Quality', quality_report(table, 'split')
    yield 'ClinicalReport', ClinicalReport({}, pd.DataFrame({ODD: [1]}, [ODD]), ODD, .5, .95, (ODD,))
    yield 'PhiReport', phi_report(paths, progress=False)
    yield 'Explorer', explorer
    yield 'Annotations', odd_annotations()
    volume = Volume(np.eye(8)[None].repeat(4, 0), np.eye(4), unit=ODD)
    yield 'explorer of a volume', explore_volume(volume, title=ODD, masks={ODD: np.ones((4,8,8))})
    yield 'explorer of a file', ds.explore(title=ODD)

def write_pages(folder):
    "Write the pages; their paths"
    from medical_imaging.prepare import prepare
    folder = Path(folder)
    assert set(classes())==set(SHOWN), f'not shown here: {set(classes())^set(SHOWN)}'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        paths = write_files(folder/'files')
        prepare(folder/'files', folder/'out', n_workers=1, progress=False, names='file', split='folder')
        objects = dict(shown_objects(paths))
    assert set(SHOWN)<=set(objects)
    for name, shown in objects.items():
        page = f'<!DOCTYPE html><meta charset="utf-8"><title>{name}</title><body>{notebook_html(shown)}</body>'
        (folder/f'{name}.html').write_text(page, encoding='utf-8')
    objects['Explorer'].save(folder/'saved.html')
    for name in ('errors.csv','sources.csv'):
        rows = (folder/'out'/name).read_text().splitlines()
        assert not any(row.startswith(tuple('=+-@\t')) for row in rows), (name, rows)
    return [*sorted(folder.glob('*.html')), folder/'out/report.html']
