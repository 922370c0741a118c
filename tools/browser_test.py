"Read docs/ as a visitor does, with Chromium, from the disk and from a server; `make test` runs it after the notebooks"
import os
import re
import shutil
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler,ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import cv2
import explorer_test
import numpy as np
from explorer_test import listen
from nbdev.config import get_config

from medical_imaging.all import modality_values
from medical_imaging.prepare import prepare
from medical_imaging.testing.phantoms import ct_slice
from medical_imaging.testing.samples import sample_file

DOCS = get_config().doc_path
WORD = 'hist_scaled' if 'hist_scaled' in (DOCS/'searchindex.js').read_text() else 'modality_values'

class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

LOADED = '''Promise.all([...document.images].map(
    o => (o.loading = "eager", o.decode().then(() => true, () => o.src))))'''

def test_pages(page, base):
    "every page renders, wide and narrow"
    for fn in sorted(DOCS.rglob('*.html')):
        name = fn.relative_to(DOCS).as_posix()
        page.set_viewport_size(dict(width=1400, height=900))
        page.goto(base+name)
        if name!='search.html': assert page.locator('article h1').first.is_visible(), f'{name} has no title'
        page.set_viewport_size(dict(width=390, height=844))
        wide = page.evaluate('document.documentElement.scrollWidth')
        assert wide<=390, f'{name} is {wide} px wide on a screen of 390'
        page.evaluate('window.scrollTo(200, 0)')
        assert page.evaluate('window.scrollX')==0, f'{name} scrolls sideways'
        loaded = page.evaluate(LOADED)
        assert all(o is True for o in loaded), loaded

def test_search(page, base):
    "the search finds a function and leads to its entry"
    page.goto(base+'index.html')
    page.keyboard.press('Control+k')
    page.keyboard.type(WORD)
    page.keyboard.press('Enter')
    page.locator(f'#search-results a[href*=".{WORD}"]').first.click()
    page.locator(f'dt[id$=".{WORD}"]').first.wait_for()

def test_entry(page, base):
    "from home, two clicks lead to an entry with its table and its source"
    module, name = modality_values.__module__, modality_values.__module__.split('.')[-1]
    page.goto(base+'dicom_load.html')
    page.locator('nav a:visible', has_text=re.compile(f'^\\s*{name}\\s*$')).first.click()
    page.locator(f'a[href="#{module}.modality_values"]:visible').first.click()
    entry = page.locator('dl', has=page.locator(f'dt[id="{module}.modality_values"]'))
    entry.wait_for()
    assert entry.locator('table td', has_text='Dataset').count() and entry.locator('a', has_text='source').count()

def test_dark(page, base):
    "the dark mode is dark and stays so on the next page"
    page.goto(base+'index.html')
    color = 'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3).map(Number)'
    def light(): return sum(page.evaluate(color))
    assert light()>600, 'the page starts dark'
    page.locator('.theme-switch-button:visible').first.click()
    page.locator('.theme-change-button[data-mode=dark]:visible').first.click()
    assert light()<200, light()
    page.goto(base+'windowing.html')
    assert light()<200, light()

def test_odd_texts(browser):
    "no text of a file runs a script or makes an element, on any page and in any output"
    from odd_texts import write_pages
    with TemporaryDirectory() as tmp:
        ctx = browser.new_context(bypass_csp=True)                   # which would hide what is wrong
        ctx.route('http*://**/*', lambda route: route.abort())       # no network: the scripts that run are on the page
        page, dialogs = ctx.new_page(), []
        page.on('dialog', lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        for path in write_pages(tmp):
            page.goto(path.as_uri())
            if path.stem=='report':
                page.locator('figure button').first.click()          # the large view shows what the header says
                assert page.locator('dialog dd').count()
            page.wait_for_timeout(100)                               # an image that is not there calls onerror
            assert page.evaluate('window.ran')is None, f'{path.name}: a script of the file ran'
            found = page.locator('[onerror], [onload], img[src="x"], a[href^="javascript"], em').count()
            assert not found, f'{path.name}: text of the file became {found} elements'
            text = page.evaluate('document.documentElement.textContent')
            if path.stem!='table':                                   # a DataFrame is shown by pandas, its text is data
                assert not re.search('[\x00\x07\x1b\u202e\u2066]', text), f'{path.name}: control characters'
            without = path.stem in ('SeriesReport','PhiReport')     # these show no text of the file
            assert without or '<script>' in text, f'{path.name} does not show the text'
        # the test sees a script that runs
        page.set_content('<img src=x onerror="window.ran=1">')
        page.wait_for_function('window.ran==1')
        ctx.close()
    assert not dialogs, dialogs

def prepared_report(folder):
    "A report of five small images, and of a file that is cut off"
    src = Path(folder)/'in'
    src.mkdir()
    for name in ('CT_small','MR_small','693_UNCR','US1_UNCR','MR_truncated','OBXXXX1A'):
        (src/f'{name}.dcm').write_bytes(sample_file(name).read_bytes())
    prepare(src, Path(folder)/'out', n_workers=1, progress=False)
    return Path(folder)/'out/report.html'

def test_report(browser):
    "the pictures of a report are filtered, grouped, and seen large with mouse and keyboard; links unfold tables"
    with TemporaryDirectory() as tmp:
        page = browser.new_page(viewport=dict(width=1280, height=900))
        page.set_default_timeout(10_000)
        wrong = listen(page, 'file:')
        page.goto(prepared_report(tmp).as_uri())
        assert page.locator('.answer').inner_text()=='5 images from 5 of 6 files'
        remarks = page.locator('.remarks li').all_inner_texts()
        assert '5 patients' in remarks[0] and 'is cut off' in remarks[1], remarks
        seen,large = page.locator('figure:visible'),page.locator('dialog')
        titles = seen.locator('.title').all_inner_texts()
        page.locator('select[data-column=modality]').select_option('CT')
        assert seen.count()==2 and page.locator('#count').inner_text()=='2 of 5'
        assert page.locator('select[data-column="rows x columns"] option:enabled').count()==3      # all, and two sizes
        page.locator('.opening a[data-finding="not square"]').click()        # the number of a finding filters by it
        assert page.locator('select[data-column=modality]').input_value()==''
        assert page.locator('#count').inner_text()=='2 of 5' and seen.count()==2
        seen.nth(0).locator('button').click()
        assert 'not square' in large.locator('dl').first.inner_text()
        page.keyboard.press('Escape')
        page.locator('select[data-column=finding]').select_option('')
        page.locator('select[data-column=modality]').select_option('CT')
        page.locator('#group').select_option('rows x columns')
        assert page.locator('.sheet h3').all_inner_texts()==['128 x 128 (1)','512 x 512 (1)']
        seen.nth(0).locator('button').click()
        first = page.locator('#large-title').inner_text()
        assert first==seen.nth(0).locator('.title').inner_text()
        assert '128 x 128' in large.locator('dl').first.inner_text()
        page.wait_for_selector('#large-picture[src*="/out/images/"]')      # the picture itself follows the thumbnail
        assert page.locator('#large-picture').evaluate('o => o.naturalWidth')==128
        assert not page.locator('img.tiny').count()                      # of 128 pixels and more
        assert large.locator('svg path').count()==1 and page.locator('#large-place').inner_text()=='1 of 2'
        page.keyboard.press('ArrowLeft')
        assert page.locator('#large-title').inner_text()==first
        page.keyboard.press('ArrowRight')
        assert page.locator('#large-title').inner_text()==seen.nth(1).locator('.title').inner_text()!=first
        page.keyboard.press('Escape')
        assert not large.is_visible()
        page.wait_for_timeout(100)
        assert page.evaluate('document.activeElement.closest("figure")===document.querySelectorAll("figure")[1]')
        page.keyboard.press('Enter')
        large.locator('#close').click()
        page.locator('[type=reset]').click()
        page.wait_for_timeout(100)
        assert not large.is_visible() and seen.locator('.title').all_inner_texts()==titles
        link = page.locator('.remarks a').first
        table = page.locator(f"details:has({link.get_attribute('href')})")
        assert not table.get_attribute('open')
        link.click()
        table.locator('td').first.wait_for(state='visible')
        for width,scheme,light in ((390,'dark',False), (1280,'light',True)):
            page.set_viewport_size(dict(width=width, height=844))
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate('document.documentElement.scrollWidth')<=width
            color = page.locator('#filters').evaluate('o => getComputedStyle(o).backgroundColor')
            assert (sum(map(int, re.findall(r'\d+', color)[:3]))>600)==light, color
        assert all(page.locator('img[alt]').evaluate_all('all => all.slice(0, -1).map(o => o.alt.length>9)'))
        page.emulate_media(media='print')
        assert not page.locator('#filters').is_visible() and seen.count()==5
        page.close()
    assert not wrong, wrong

def edge_shades(page, place):
    "Brightness at the left and the right edge of an element, in its middle"
    img = cv2.imdecode(np.frombuffer(place.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    row = img[img.shape[0]//2-8:img.shape[0]//2+8].min(0)                # text does not reach the edges
    return int(row[1]),int(row[-2])

def check_shadows(page):
    "A table that is wider than the page has a shadow at the side where more of it is"
    page.set_viewport_size(dict(width=390, height=844))
    page.evaluate('for (const o of document.querySelectorAll("details")) o.open = true')
    places = page.locator('.wide').all()
    wide = next(o for o in places if o.evaluate('o => o.scrollWidth>o.clientWidth+60'))
    wide.evaluate('o => { for (const cell of o.querySelectorAll("td, th")) cell.style.color = "transparent"; }')
    left,right = edge_shades(page, wide)
    assert right<235<left, (left, right)
    wide.evaluate('o => o.scrollLeft = o.scrollWidth')
    left,right = edge_shades(page, wide)
    assert left<235<right, (left, right)

def check_print(page):
    "On paper there is all of the report, without what only a screen can use"
    page.emulate_media(media='print')
    for selector in ('#filters','dialog'): assert not page.locator(selector).is_visible(), selector
    page.evaluate('for (const o of document.querySelectorAll("details")) o.open = false')
    page.evaluate('dispatchEvent(new Event("beforeprint"))')
    assert page.locator('details').count()==page.locator('details[open]').count()>2
    assert not page.locator('img[loading=lazy]').count()                 # all pictures are there
    of = page.locator('figure').first.evaluate('o => [getComputedStyle(o).breakInside, '
        'getComputedStyle(o.querySelector("button")).printColorAdjust, getComputedStyle(document.body).fontSize]')
    assert of==['avoid','exact',f'{10*96/72:.4f}px'], of
    assert page.locator('.wide').first.evaluate('o => getComputedStyle(o).backgroundImage')=='none'
    page.emulate_media(media='screen')

def test_look(browser):
    "small pictures have sharp pixels; the filters stay in sight; wide tables have a shadow; all is printed"
    with TemporaryDirectory() as tmp:
        page = browser.new_page(viewport=dict(width=1280, height=500), color_scheme='light')
        page.set_default_timeout(10_000)
        wrong,src = listen(page, 'file:'),Path(tmp)/'in'
        src.mkdir()
        for i,side in enumerate((16,64)):
            hu = np.indices((side,side)).sum(0)%2*100
            for k in range(12): ct_slice(hu, PixelSpacing=[1,1]).save_as(src/f'{i}{k}.dcm', enforce_file_format=True)
        prepare(src, Path(tmp)/'out', n_workers=1, progress=False, windows='brain')
        page.goto((Path(tmp)/'out/report.html').as_uri())
        page.wait_for_function('[...document.images].slice(0, 24).every(o => o.complete)')
        shown = page.locator('figure img').evaluate_all('all => all.map(o => getComputedStyle(o).imageRendering)')
        assert shown==['pixelated']*12+['auto']*12, shown
        page.locator('figure button').first.click()
        page.wait_for_selector('#large-picture[src*="/out/images/"]')
        assert page.locator('#large-picture').evaluate('o => getComputedStyle(o).imageRendering')=='pixelated'
        page.keyboard.press('Escape')
        bar = page.locator('#filters')
        page.locator('figure').last.scroll_into_view_if_needed()
        assert page.evaluate('scrollY')>100 and abs(bar.bounding_box()['y'])<1
        assert bar.evaluate('o => o.contains(document.elementFromPoint(innerWidth/2, 5))')     # nothing lies over it
        page.set_viewport_size(dict(width=390, height=500))              # where it would take half the page it moves
        page.locator('figure').last.scroll_into_view_if_needed()
        assert bar.bounding_box()['y']<-50
        check_shadows(page)
        check_print(page)
        page.emulate_media(color_scheme='dark')
        shadow = page.locator('figure button').first.evaluate('o => getComputedStyle(o).boxShadow')
        assert shadow.endswith('0px 0px 0px 1px'), shadow                # the edge of black pictures on a dark page
        page.close()
    assert not wrong, wrong

def charted_report(folder):
    "A report of 24 CT slices of two sizes, one of them with another pixel spacing"
    src = Path(folder)/'in'
    src.mkdir()
    for i in range(24):
        hu = np.full((64,64 if i<20 else 80), -1000)
        hu[16:48,10:50] = 40+i
        ds = ct_slice(hu, PixelSpacing=[3,3] if i==7 else [.7+i/100]*2, PatientID='DOE^JANE')
        ds.save_as(src/f'{i:02}.dcm', enforce_file_format=True)
    prepare(src, Path(folder)/'out', n_workers=1, progress=False, crop='body', windows='lungs')
    return Path(folder)/'out/report.html'

def check_crop(page):
    "The box lies on the original where the picture was cut out; without the original it holds the picture"
    crop = page.locator('#large-crop')
    whole,box = crop.locator('img'),crop.locator('i.box')
    whole.evaluate('o => o.decode()')
    assert whole.evaluate('o => o.naturalWidth')==64 and crop.locator('.box').count()==1
    (top,bottom),(left,right) = (map(int, re.findall(rf'{name} (\d+) to (\d+)', crop.inner_text())[0])
        for name in ('rows','columns'))
    outer,inner = (o.evaluate('o => { const r = o.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; }')
        for o in (whole,box))
    expected = [outer[0]+outer[2]*left/64, outer[1]+outer[3]*top/64, outer[2]*(right-left)/64, outer[3]*(bottom-top)/64]
    assert all(abs(a-b)<1.5 for a,b in zip(inner, expected)), (inner, expected)
    pixel = """o => { const c = new OffscreenCanvas(64, 64).getContext('2d'); c.drawImage(o, 0, 0);
        const data = c.getImageData(0, 0, 64, 64).data; return [30, 2].map(i => data[4 * 65 * i]); }"""
    inside,outside = whole.evaluate(pixel)
    assert outside<90<200<inside, (inside, outside)                  # air and tissue

def test_charts(browser):
    "a mark in a chart, and names in tables, open the picture large, with its window and its crop; all is legible"
    with TemporaryDirectory() as tmp:
        page = browser.new_page(viewport=dict(width=1280, height=900), color_scheme='light')
        page.set_default_timeout(10_000)
        wrong,fn = listen(page, 'file:'),charted_report(tmp)
        page.goto(fn.as_uri())
        charts,large = page.locator('.chart'),page.locator('dialog')
        assert '1 patient' in page.locator('.remarks').inner_text() and 'DOE' not in fn.read_text()
        titles = charts.locator('h3').all_inner_texts()
        assert 'Pixel spacing (mm)' in titles and 'Values of CT (HU)' in titles, titles
        chart = charts.nth(titles.index('Pixel spacing (mm)'))
        assert '3 mm' in chart.locator('svg').get_attribute('aria-label')
        page.locator('select[data-column="rows x columns"]').select_option('64 x 80')
        assert page.locator('figure:visible').count()==4
        chart.locator('svg a').click()                                   # the filter that hides it is reset
        assert page.locator('#large-title').inner_text()=='0001/0008' and large.locator('dd', has_text='3').count()
        page.keyboard.press('Escape')
        chart.locator('p a').click()
        assert page.locator('#large-title').inner_text()=='0001/0008'
        assert page.locator('#large-window').inner_text()=='lungs: -1,350 to 150 HU'
        assert 'of 64 x 64' in page.locator('#large-crop').inner_text()
        check_crop(page)
        page.locator('#large-header summary').click()
        assert page.locator('#large-header dt', has_text='BitsStored').is_visible()
        for width in (1280, 390):                                        # long names leave room for the values
            page.set_viewport_size(dict(width=width, height=844))
            widths = page.locator('#large-header dd').evaluate_all('all => all.map(o => o.clientWidth)')
            assert min(widths)>120, (width, widths)
            value = page.locator('#large-header dt', has_text='ImageType').locator('xpath=following-sibling::dd[1]')
            assert ', ' in value.inner_text(), value.inner_text()
        page.set_viewport_size(dict(width=1280, height=900))
        page.keyboard.press('Escape')
        page.wait_for_function('document.activeElement.textContent.startsWith("0001/0008")')     # back to the link
        for width,scheme,light in ((390,'dark',False), (1280,'light',True)):
            page.set_viewport_size(dict(width=width, height=844))
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate('document.documentElement.scrollWidth')<=width
            text = chart.locator('svg text').first
            color = text.evaluate('o => getComputedStyle(o).fill')
            assert (sum(map(int, re.findall(r'\d+', color)[:3]))<200)==light, color
            assert text.evaluate('o => o.getBoundingClientRect().height')>9, 'text of a chart is too small'
        page.emulate_media(media='print')
        assert chart.locator('svg').is_visible()
        page.close()
    assert not wrong, wrong

def run_alone(browser, test):
    "Run a test that makes its own pages, print the result, and say whether it failed"
    start,why = time.time(),''
    try: test(browser)
    except Exception as e: why = f'\n  {type(e).__name__}: {e}'
    print(f"{'FAILED' if why else 'passed'} {time.time()-start:6.1f} s  pages: {test.__doc__}{why}")
    return bool(why)

def run(browser, base, test):
    "Run `test` in a context of its own, print the result, and say whether it failed"
    ctx,start,why = browser.new_context(viewport=dict(width=1400, height=900), color_scheme='light'),time.time(),''
    page = ctx.new_page()
    page.set_default_timeout(10_000)
    wrong = listen(page, base)
    try: test(page, base)
    except Exception as e: why = f'{type(e).__name__}: {e}'
    ctx.close()
    why = '; '.join([why]*bool(why)+wrong[:5])
    result = 'FAILED' if why else 'passed'
    print(f"{result} {time.time()-start:6.1f} s  site, {base.split(':')[0]}: {test.__doc__}" + f'\n  {why}'*bool(why))
    return bool(why)

def main(sync_playwright, chromium):
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=DOCS))
    Thread(target=server.serve_forever, daemon=True).start()
    bases = DOCS.resolve().as_uri()+'/',f'http://127.0.0.1:{server.server_port}/'
    with sync_playwright() as p:
        args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
        browser = p.chromium.launch(executable_path=chromium, args=args)
        tests = test_pages, test_search, test_entry, test_dark, explorer_test.test_site
        alone = test_odd_texts, test_report, test_look, test_charts, *explorer_test.TESTS
        failed = [run_alone(browser, test) for test in alone]
        failed += [run(browser, base, test) for base in bases for test in tests]
    print(f'{len(failed)-sum(failed)} passed, {sum(failed)} failed')
    sys.exit(any(failed))

if __name__=='__main__':
    chromium = next(filter(None, map(shutil.which, ('chromium','chromium-browser','google-chrome'))), None)
    try: from playwright.sync_api import sync_playwright
    except ImportError: sync_playwright = None
    if chromium and sync_playwright: main(sync_playwright, chromium)
    missing = 'the package playwright' if chromium else 'chromium (apt-get install chromium)'
    if os.environ.get('CI'): sys.exit(f'the site cannot be tested without {missing}')
    print(f'site: not tested, for want of {missing}')
