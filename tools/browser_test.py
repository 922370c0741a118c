"Read docs/ as a visitor does, with Chromium, from the disk and from a server; `make test` runs it after the notebooks"
import base64
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
import numpy as np
from nbdev.config import get_config

from medical_imaging.dicom_load import dcmread
from medical_imaging.all import modality_values, values_and_padding
from medical_imaging.prepare import prepare
from medical_imaging.testing.phantoms import ct_slice
from medical_imaging.testing.samples import sample_file
from medical_imaging.view.explore import explore
from medical_imaging.view.show import structure_colors

DOCS = get_config().doc_path
WORD = 'hist_scaled' if 'hist_scaled' in (DOCS/'searchindex.js').read_text() else 'modality_values'

class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

def listen(page, base):
    "A list to which all is added that goes wrong on `page`, network requests included"
    wrong = []
    page.on('console', lambda o: wrong.append(o.text) if o.type in ('error','warning') else None)
    page.on('pageerror', lambda o: wrong.append(str(o)))
    def failed(request):
        if 'ERR_ABORTED' in request.failure: return      # the visitor went on
        wrong.append(f'{request.failure}: {request.url}')
    def left_site(request):
        if not request.url.startswith((base, 'data:')): wrong.append(f'not of this site: {request.url}')
    page.on('requestfailed', failed)
    page.on('response', lambda o: wrong.append(f'{o.status}: {o.url}') if o.status>=400 else None)
    page.on('request', left_site)
    return wrong

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

# of the page's first window explorer: its window, its values, and the greys that Bokeh makes of them
GREYS = """() => {
    const doc = Bokeh.documents[0];
    const [image] = doc.get_model_by_name('values').data.image, mapper = doc.get_model_by_name('mapper');
    const text = a => {
        const bytes = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
        let s = '';
        for (const o of bytes) s += String.fromCharCode(o);
        return btoa(s);
    };
    return [text(image), text(new Uint8Array(mapper.rgba_mapper.v_compute(image)))];
}"""

def greys(page, box):
    "Level and width as shown, the values and their greys"
    level,width = (float(box.locator(f'input[type=number][name={o}]').input_value()) for o in ('level','width'))
    values,rgba = (base64.b64decode(o) for o in page.evaluate(GREYS))
    values = np.frombuffer(values, np.float32).reshape(512, 512)
    return level, width, values, np.frombuffer(rgba, np.uint8).reshape(512, 512, 4)

def picture(box):
    "What is on the screen of the explorer's picture, in greys"
    return cv2.imdecode(np.frombuffer(box.locator('.mi-frame').screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)

def check_greys(page, box, hu):
    "The greys are LINEAR_EXACT of the file's values, computed here, and the screen shows them"
    level,width,values,rgba = greys(page, box)
    np.testing.assert_array_equal(values, hu)
    exact = 255*np.clip((hu.astype(np.float64)-(level-width/2))/width, 0, 1)
    near = abs(exact%1-.5)<1e-6          # half a grey may go either way
    expected = np.nan_to_num(exact, nan=0.).round().astype(np.uint8)
    np.testing.assert_array_equal(rgba[...,:3][~near], np.repeat(expected[...,None], 3, -1)[~near])
    assert (rgba[...,3]==255).all()
    page.mouse.move(0, 0)                # the tools leave the picture
    page.wait_for_timeout(600)
    seen = picture(box)
    small = cv2.resize(expected, seen.shape[::-1], interpolation=cv2.INTER_AREA)
    off = abs(cv2.blur(seen, (5,5)).astype(float)-cv2.blur(small, (5,5)))[3:-3,3:-3].mean()
    assert off<8, f'the picture on the screen is {off:.1f} greys off'
    return level,width,seen

def drag(page, slider, to):
    "Drag the handle of a slider to the fraction `to` of its length"
    slider.scroll_into_view_if_needed()
    now = slider.evaluate('o => (o.value-o.min)/(o.max-o.min)')
    r = slider.bounding_box()
    x = [r['x']+8+o*(r['width']-16) for o in (now, to)]
    page.mouse.move(x[0], r['y']+r['height']/2)
    page.mouse.down()
    page.mouse.move(x[1], r['y']+r['height']/2, steps=6)
    page.mouse.up()

def test_explorer(page, base):
    "sliders, buttons and the band of the window explorer change the picture as computed"
    hu,pad = values_and_padding(dcmread(sample_file('693_UNCR')))
    hu = np.where(pad, np.nan, hu)
    page.goto(base+'view/explore.html')
    box = page.locator('.mi-explore').first
    box.locator('button:enabled').first.wait_for()
    level,width,first = check_greys(page, box, hu)
    assert (level,width)==(40,80), (level,width)
    seen = [first]
    def changed():
        seen.append(check_greys(page, box, hu)[2])
        off = abs(seen[-1].astype(float)-seen[-2]).mean()
        assert off>2, f'the picture has changed by {off:.1f} greys only'
    drag(page, box.locator('input[type=range][name=level]'), .2)
    changed()
    drag(page, box.locator('input[type=range][name=width]'), .95)
    changed()
    box.locator('button', has_text='bone').click()
    changed()
    assert box.locator('button[aria-pressed=true]').all_inner_texts()==['bone']
    band = box.locator('.mi-histogram')
    r = band.bounding_box()
    page.mouse.move(r['x']+.6*r['width'], r['y']+40)
    page.mouse.down()
    page.mouse.move(r['x']+.3*r['width'], r['y']+40, steps=6)
    page.mouse.up()
    changed()
    assert not box.locator('button[aria-pressed=true]').count()
    f = box.locator('.mi-frame').bounding_box()
    page.mouse.move(f['x']+f['width']*(300.5/512), f['y']+f['height']*(200.5/512))
    text = box.locator('.mi-value').inner_text().replace('\u2212', '-')
    assert text==f'row 200, column 300: {hu[200,300]:.0f} HU', text
    page.mouse.move(f['x']+1, f['y']+1)
    assert box.locator('.mi-value').inner_text()=='row 1, column 1: no value'
    stack = page.locator('.mi-explore').nth(1)
    before = picture(stack)
    drag(page, stack.locator('input[name=slice]'), 0)
    assert stack.locator('.mi-slice').inner_text()=='1 of 8'
    page.mouse.move(0, 0)
    page.wait_for_timeout(600)
    assert abs(picture(stack).astype(float)-before).mean()>2, 'another slice, the same picture'

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
        page.locator('#group').select_option('rows x columns')
        assert page.locator('.sheet h3').all_inner_texts()==['128 x 128 (1)','512 x 512 (1)']
        seen.nth(0).locator('button').click()
        first = page.locator('#large-title').inner_text()
        assert first==seen.nth(0).locator('.title').inner_text()
        assert '128 x 128' in large.locator('dl').first.inner_text()
        page.wait_for_selector('#large-picture[src*="/out/images/"]')      # the picture itself follows the thumbnail
        assert page.locator('#large-picture').evaluate('o => o.naturalWidth')==128
        assert large.locator('svg path').count()==1 and page.locator('#large-place').inner_text()=='1 of 2'
        page.keyboard.press('ArrowLeft')
        assert page.locator('#large-title').inner_text()==first
        page.keyboard.press('ArrowRight')
        assert page.locator('#large-title').inner_text()==seen.nth(1).locator('.title').inner_text()!=first
        page.keyboard.press('Escape')
        assert not large.is_visible()
        page.wait_for_function('document.activeElement.closest("figure")===document.querySelectorAll("figure")[1]')
        page.keyboard.press('Enter')
        large.locator('#close').click()
        page.locator('[type=reset]').click()
        page.wait_for_timeout(100)
        assert not large.is_visible() and seen.locator('.title').all_inner_texts()==titles
        link = page.locator('.opening a').first
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
        page.locator('#large-header summary').click()
        assert page.locator('#large-header dt', has_text='BitsStored').is_visible()
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

# of the page's explorer: the colors of its masks, (rows, cols), and their share of the picture
COLORS = """() => {
    const doc = Bokeh.documents[0], [image] = doc.get_model_by_name('colors').data.image;
    return [Array.from(image), image.shape, doc.get_model_by_name('overlay').glyph.global_alpha];
}"""

def mask_colors(page):
    "Red, green, blue and opacity of the masks as the page has them, (rows, cols, 4)"
    colors,shape,alpha = page.evaluate(COLORS)
    if isinstance(alpha, dict): alpha = alpha['value']
    return np.array(colors, np.uint32).view(np.uint8).reshape(*shape, 4),alpha

def test_mask_explorer(browser):
    "the explorer shows masks in their colors, names them at the pointer, hides them and lets the picture through"
    y,x = np.mgrid[:60,:80]
    masks = {'one <b>': np.stack([x<40]*2), 'two': np.stack([y<30,y>=30])}
    colors = structure_colors([1,2]).astype(float)
    def expected(k, shown):
        where = [masks[name][k][...,None]*on for name,on in zip(masks, shown)]
        n = sum(where)
        mean = np.rint(sum(o*color for o,color in zip(where, colors))/np.maximum(n, 1))
        return np.concatenate([mean,255*(n>0)], 2)
    with TemporaryDirectory() as tmp:
        page = browser.new_page(viewport=dict(width=1000, height=700))
        page.set_default_timeout(10_000)
        wrong = listen(page, 'file:')
        page.goto(explore(np.zeros((2,60,80)), (2,0), masks=masks).save(f'{tmp}/masks.html').as_uri())
        page.locator('button:enabled').first.wait_for()
        def shows(k, shown, opacity):
            found,alpha = mask_colors(page)
            np.testing.assert_array_equal(found, expected(k, shown))
            assert alpha==opacity, alpha
            page.mouse.move(0, 0)
            page.wait_for_timeout(600)
            seen = cv2.imdecode(np.frombuffer(page.locator('.mi-frame').screenshot(), np.uint8), cv2.IMREAD_COLOR)
            seen = seen[...,::-1]
            share = expected(k, shown)[...,3:]/255*opacity
            want = 127.5*(1-share)+expected(k, shown)[...,:3]*share
            rows,cols = (np.array([.25,.75])*n for n in seen.shape[:2])
            for row in (0,1):
                for col in (0,1):
                    pixel = seen[int(rows[row]),int(cols[col])].astype(float)
                    assert abs(pixel-want[15+30*row,20+40*col]).max()<3, (pixel, want[15+30*row,20+40*col])
        drag(page, page.locator('input[name=slice]'), 0)
        shows(0, (1,1), .4)
        f = page.locator('.mi-frame').bounding_box()
        page.mouse.move(f['x']+f['width']*.25, f['y']+f['height']*.25)
        text = page.locator('.mi-value').inner_text()
        assert text=='row 15, column 20: 0, one <b>, two', text
        page.locator('.mi-masks label', has_text='one <b>').click()
        shows(0, (0,1), .4)
        drag(page, page.locator('input[name=slice]'), 1)
        drag(page, page.locator('input[name=opacity]'), 1)
        shows(1, (0,1), 1)
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
        tests = test_pages, test_search, test_entry, test_dark, test_explorer
        failed = [run_alone(browser, test) for test in (test_odd_texts, test_report, test_charts, test_mask_explorer)]
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
