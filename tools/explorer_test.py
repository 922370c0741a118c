"The explorer in Chromium, with mouse, keys and fingers; tools/browser_test.py runs these tests"
import base64
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from medical_imaging.dicom_load import dcmread
from medical_imaging.all import values_and_padding
from medical_imaging.pixels.color import rgb8
from medical_imaging.testing.samples import sample_file
from medical_imaging.view.explore import explore
from medical_imaging.view.explore_colors import explore_colors
from medical_imaging.view.show import structure_colors
from medical_imaging.volumes.planes import explore_volume, volume_planes
from medical_imaging.volumes.resample import reorient_volume
from medical_imaging.volumes.volume import Volume

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

# pages and what is on them

@contextmanager
def opened(browser, *explorers, **options):
    "A page with explorers on it, 200 pixels of text above and a long way below; no network, no complaints"
    texts = '<p style="height:200px">above</p>', *(o.content for o in explorers), '<p style="height:3000px">below</p>'
    html = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width">{"".join(texts)}'
    with TemporaryDirectory() as tmp:
        (Path(tmp)/'page.html').write_text(f'<!DOCTYPE html>{html}', encoding='utf-8')
        ctx = browser.new_context(**(dict(viewport=dict(width=1000, height=900)) | options))
        page = ctx.new_page()
        page.set_default_timeout(10_000)
        wrong = listen(page, 'file:')
        page.goto((Path(tmp)/'page.html').as_uri())
        for k in range(len(explorers)): page.locator('.mi-explore').nth(k).and_(page.locator('.mi-live')).wait_for()
        yield page
        ctx.close()
    assert not wrong, wrong

PIXELS = '''canvas => {
    const copy = Object.assign(document.createElement('canvas'), {width: canvas.width, height: canvas.height});
    const pen = copy.getContext('2d', {willReadFrequently: true});
    pen.drawImage(canvas, 0, 0);
    const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (const byte of data) text += String.fromCharCode(byte);
    return [btoa(text), canvas.height, canvas.width];
}'''

def pixels(box, k=0, frame=0):
    "Red, green, blue and opacity of canvas `k` of a picture: 0 for the greys, 1 for the masks"
    box.page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
    text,rows,cols = box.locator('.mi-frame').nth(frame).locator('canvas').nth(k).evaluate(PIXELS)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, cols, 4)

def window(box):
    "Level and width as shown"
    return tuple(float(box.locator(f'input[type=number][name={o}]').input_value()) for o in ('level','width'))

def greys_of(values, level, width):
    "LINEAR_EXACT, and where half a grey may go either way; NaN is black"
    exact = 255*np.clip((values.astype(np.float64)-(level-width/2))/width, 0, 1)
    return np.nan_to_num(exact, nan=0.).round().astype(np.uint8),abs(exact%1-.5)<1e-6

def check_pixels(box, values, frame=0):
    "The picture has the greys of `values` in the window that is shown"
    found = pixels(box, frame=frame)
    expected,near = greys_of(values, *window(box))
    np.testing.assert_array_equal(found[...,:3][~near], np.repeat(expected[...,None], 3, -1)[~near])
    assert (found[...,3]==255).all()
    return expected

def picture(box, frame=0):
    "What is on the screen of a picture, in greys"
    png = box.locator('.mi-frame').nth(frame).screenshot()
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)

def check_greys(box, values):
    "The greys are those of the file's values, computed here, and the screen shows them"
    expected,seen = check_pixels(box, values),picture(box)
    small = cv2.resize(expected, seen.shape[::-1], interpolation=cv2.INTER_AREA)
    off = abs(cv2.blur(seen, (5,5)).astype(float)-cv2.blur(small, (5,5)))[3:-3,3:-3].mean()
    assert off<4, f'the picture on the screen is {off:.1f} greys off'
    return seen

def value(box): return box.locator('.mi-value').inner_text().replace('\u2212', '-')
def place(box, frame=0): return box.locator('.mi-slice').nth(frame).inner_text()

def at(box, x, y, frame=0):
    "A place of the screen, from fractions of a picture"
    r = box.locator('.mi-frame').nth(frame).bounding_box()
    return r['x']+x*r['width'],r['y']+y*r['height']

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

def turn(page, pixels):
    "Turn the wheel, and let the page follow"
    page.mouse.wheel(0, pixels)
    page.wait_for_timeout(120)

def scrolled(page): return page.evaluate('window.scrollY')

def numbered_stack(n=12, rows=40, cols=50):
    "A stack whose values name slice, row and column"
    k,row,col = np.ogrid[:n,:rows,:cols]
    return 5000*k+100*row+col


# the tests

def test_site(page, base):
    "sliders, buttons and the band of the explorer change the picture as computed"
    hu,pad = values_and_padding(dcmread(sample_file('693_UNCR')))
    hu = np.where(pad, np.nan, hu)
    page.goto(base+'view/explore.html')
    box = page.locator('.mi-explore').first
    box.locator('button:enabled').first.wait_for()
    seen = [check_greys(box, hu)]
    assert window(box)==(40,80), window(box)
    def changed():
        seen.append(check_greys(box, hu))
        off = abs(seen[-1].astype(float)-seen[-2]).mean()
        assert off>2, f'the picture has changed by {off:.1f} greys only'
    drag(page, box.locator('input[type=range][name=level]'), .2)
    changed()
    drag(page, box.locator('input[type=range][name=width]'), .95)
    changed()
    box.locator('button', has_text='bone').click()
    changed()
    assert box.locator('button[aria-pressed=true]').all_inner_texts()==['bone']
    r = box.locator('.mi-bars').bounding_box()
    page.mouse.move(r['x']+.6*r['width'], r['y']+40)
    page.mouse.down()
    page.mouse.move(r['x']+.3*r['width'], r['y']+40, steps=6)
    page.mouse.up()
    changed()
    assert not box.locator('button[aria-pressed=true]').count()
    page.mouse.move(*at(box, 300.5/512, 200.5/512))
    assert value(box)==f'row 200, column 300: {hu[200,300]:.0f} HU', value(box)
    page.mouse.move(*at(box, .003, .003))
    assert value(box)=='row 1, column 1: no value', value(box)
    stack = page.locator('.mi-explore').nth(1)
    before = picture(stack)
    drag(page, stack.locator('input[name=slice]'), 0)
    assert place(stack)=='1 of 8'
    page.mouse.move(0, 0)
    assert abs(picture(stack).astype(float)-before).mean()>2, 'another slice, the same picture'

def test_scrolling(browser):
    "wheel and keys go through the slices of the stack they are on; elsewhere they belong to the page"
    x = numbered_stack()
    with opened(browser, explore(x), explore(x+7, title='Another')) as page:
        box,other = (page.locator('.mi-explore').nth(k) for k in (0,1))
        assert place(box)==place(other)=='7 of 12'
        page.mouse.move(*at(box, .5, .5))
        page.wait_for_timeout(50)
        assert value(box)==f'row 20, column 25: {x[6,20,25]}', value(box)
        turn(page, 100)
        assert place(box)=='8 of 12' and value(box)==f'row 20, column 25: {x[7,20,25]}', value(box)
        check_pixels(box, x[7])
        for _ in range(3): turn(page, -30)                           # a touchpad: many small steps
        assert place(box)=='7 of 12', place(box)
        for key,where in dict(ArrowDown=8, ArrowRight=9, ArrowUp=8, ArrowLeft=7, PageDown=9, End=12, Home=1).items():
            page.keyboard.press(key)                                 # no focus: the picture under the mouse
            assert place(box)==f'{where} of 12', (key,place(box))
        assert scrolled(page)==0 and place(other)=='7 of 12'
        page.keyboard.press('End')
        page.keyboard.press('ArrowUp')
        for _ in range(3): turn(page, 100)                           # a hand that goes on a little too far
        assert place(box)=='12 of 12' and scrolled(page)==0, (place(box),scrolled(page))
        page.wait_for_timeout(500)
        turn(page, 100)                                              # at the end the page goes on
        page.wait_for_timeout(300)
        assert place(box)=='12 of 12' and scrolled(page)>0
        page.evaluate('scrollTo(0, 0)')
        page.wait_for_timeout(300)
        page.mouse.move(*at(box, .5, -.2))                           # above the picture
        page.keyboard.press('ArrowUp')
        turn(page, 100)
        page.wait_for_timeout(300)
        assert place(box)=='12 of 12' and scrolled(page)>0
        page.evaluate('scrollTo(0, 0)')
        page.mouse.click(3, 3)
        page.keyboard.press('Tab')                                   # the first that has the focus is the picture
        page.keyboard.press('PageUp')
        assert place(box)=='10 of 12' and scrolled(page)==0
        frame = box.locator('.mi-frame')
        state = [frame.get_attribute(f'aria-{o}') for o in ('valuenow','valuemax','valuetext')]
        assert state==['10','12','10 of 12'] and frame.get_attribute('role')=='slider', state
        assert frame.evaluate('o => getComputedStyle(o).outlineStyle')=='solid', 'the focus is not seen'
        other.locator('input[name=slice]').focus()
        page.keyboard.press('ArrowRight')
        assert (place(box),place(other))==('10 of 12','8 of 12')

def test_wheel_of_page(browser):
    "a wheel that scrolls the page goes on when a stack comes under the mouse, and one picture takes no wheel"
    with opened(browser, explore(numbered_stack(), title='Stack'), explore(numbered_stack(1)[0])) as page:
        box,single = (page.locator('.mi-explore').nth(k) for k in (0,1))
        x,y = at(box, .5, .5)
        page.mouse.move(x, y-300)
        for _ in range(4): page.mouse.wheel(0, 60), page.wait_for_timeout(40)
        page.mouse.move(x, y-200)
        page.mouse.wheel(0, 60)
        page.wait_for_timeout(500)
        assert place(box)=='7 of 12' and scrolled(page)>200, (place(box),scrolled(page))
        page.evaluate('scrollTo(0, 300)')
        page.wait_for_timeout(300)
        page.evaluate('addEventListener("wheel", e => { window.held = e.defaultPrevented; })')
        page.mouse.move(*at(box, .5, .5))
        page.mouse.wheel(50, 0)
        page.wait_for_timeout(100)
        assert place(box)=='7 of 12' and page.evaluate('window.held')is False, 'a wheel to the side is held'
        page.mouse.move(*at(single, .5, .5))
        turn(page, 100)
        page.wait_for_timeout(300)
        assert scrolled(page)>300
        assert single.locator('.mi-frame').get_attribute('role')=='img' and not single.locator('.mi-play').count()

def test_window_drag(browser):
    "the right button changes width and level, without a menu; a double click resets; MONOCHROME1 goes the same way"
    ramp = np.linspace(-500, 499, 50*60).round().reshape(50, 60)
    with opened(browser, explore(ramp, (400,40), unit='HU'), explore(ramp, (400,40), invert=True)) as page:
        page.evaluate('addEventListener("contextmenu", e => { window.menu = !e.defaultPrevented; })')
        for k in (0,1):
            box = page.locator('.mi-explore').nth(k)
            box.scroll_into_view_if_needed()
            x,y = at(box, .5, .5)
            before = pixels(box).mean()
            page.mouse.move(x, y)
            page.mouse.down(button='right')
            page.mouse.move(x+100, y, steps=4)
            assert window(box)==(40, round(400*np.exp(.5))), window(box)
            page.mouse.move(x, y-60, steps=4)                          # up is brighter
            page.mouse.up(button='right')
            assert window(box)==(40+80*(2*k-1), 400), window(box)
            assert page.evaluate('window.menu')is False, 'a menu opened'
            assert pixels(box).mean()>before+5
            if not k: check_pixels(box, ramp)
            page.mouse.move(x+50, y+50)
            assert window(box)==(40+80*(2*k-1), 400), 'the button is up'
            page.mouse.dblclick(x, y)
            assert window(box)==(40,400), window(box)
        page.mouse.click(*at(box, .5, -.03), button='right')
        assert page.evaluate('window.menu'), 'beside the picture there is a menu'

def test_zoom(browser):
    "Ctrl and wheel enlarge what is under the mouse, Shift moves it, and the values stay those of the place"
    x = numbered_stack()
    with opened(browser, explore(x)) as page:
        box = page.locator('.mi-explore')
        page.mouse.move(*at(box, 10.5/50, 30.5/40))
        page.wait_for_timeout(50)
        before = value(box)
        assert before==f'row 30, column 10: {x[6,30,10]}', before
        page.keyboard.down('Control')
        for _ in range(4): turn(page, -100)
        page.keyboard.up('Control')
        layer = box.locator('.mi-layer').bounding_box()
        wide = box.locator('.mi-frame').bounding_box()['width']
        assert 3<layer['width']/wide<4.5, layer['width']/wide
        assert value(box)==before and place(box)=='7 of 12', value(box)
        px,py = at(box, 10.5/50, 30.5/40)
        page.keyboard.down('Shift')
        page.mouse.down()
        page.mouse.move(px+80, py-60, steps=4)
        page.mouse.up()
        page.keyboard.up('Shift')
        assert value(box)==before, value(box)                           # the place went along
        page.keyboard.press('r')
        assert box.locator('.mi-layer').bounding_box()['width']==wide
        page.keyboard.press('+')
        assert box.locator('.mi-layer').bounding_box()['width']>1.2*wide

def test_playing(browser):
    "a stack plays at its speed, again and again or there and back, until a hand or a key stops it"
    film = np.arange(30.)[:,None,None]+np.zeros((30,20,30))
    swinging = explore(film[:4], rate=20, sweep=True, title='Swinging')
    with opened(browser, explore(film, max_slices=10, rate=30), swinging) as page:
        box,other = (page.locator('.mi-explore').nth(k) for k in (0,1))
        watch = '''(k) => new Promise(done => {
            const label = document.querySelectorAll('.mi-slice')[k], seen = [];
            const watcher = new MutationObserver(() => seen.push([performance.now(), parseInt(label.textContent)]));
            watcher.observe(label, {childList: true});
            setTimeout(() => { watcher.disconnect(); done(seen); }, 1500);
        })'''
        button = box.locator('.mi-play')
        button.click()
        assert button.inner_text()=='Pause'
        times,slices = np.array(page.evaluate(watch, 0)).T
        per_second = (len(times)-1)/(times[-1]-times[0])*1000           # 10 pictures stand for 30: 10 a second
        assert 8<per_second<11, per_second
        steps = np.diff([round((o-1)*9/29) for o in slices])%10
        assert (steps==1).all(), slices
        assert place(other)=='3 of 4'
        other.locator('.mi-play').click()
        turns = np.array(page.evaluate(watch, 1))[:,1]
        assert set(abs(np.diff(turns)))=={1} and {1,4}<=set(turns), turns
        box.scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.mouse.move(*at(box, .5, .5))
        turn(page, 100)
        assert button.inner_text()=='Play'
        page.wait_for_timeout(100)
        still = place(box)
        page.wait_for_timeout(400)
        assert place(box)==still and other.locator('.mi-play').inner_text()=='Pause'
        box.locator('.mi-frame').focus()
        before = scrolled(page)
        page.keyboard.press('Space')
        assert button.inner_text()=='Pause' and scrolled(page)==before
        drag(page, box.locator('input[name=rate]'), 0)
        assert box.locator('.mi-rate').inner_text()=='1 / s'

def odd_volume():
    "Oblong voxels that name themselves, in slices that run from left to right"
    k,row,col = np.ogrid[:12,:20,:16]
    affine = np.array([[4.,0,0,-20], [0,0,2,-15], [0,-3,0,50], [0,0,0,1]])
    return Volume((1000*k+40*row+col).astype(np.float32), affine, unit='HU')

def test_planes(browser):
    "three planes in true proportions share a point, a window and the values of the volume"
    volume = odd_volume()
    turned = reorient_volume(volume, 'LPS')
    mask = np.zeros(volume.shape)
    mask[6:] = 1
    explorers = explore_volume(volume, masks={'left':mask}, title='Odd'),explore_volume(volume)
    with opened(browser, *explorers, viewport=dict(width=1000, height=1400)) as page:
        box,other = (page.locator('.mi-explore').nth(k) for k in (0,1))
        def places(of=box): return [int(place(of, k).split()[0])-1 for k in range(3)]
        def check(point):
            for k,plane in enumerate(volume_planes(volume, point)): check_pixels(box, plane.values, k)
            assert places()==[point[0],point[1],point[2]], (places(),point)
        middle = [n//2 for n in turned.shape]
        check(middle)
        sizes = [box.locator('.mi-frame').nth(k).bounding_box() for k in range(3)]
        mm = [n*spacing for n,spacing in zip(turned.shape, turned.spacing)]
        scales = [(r['width']/mm[w],r['height']/mm[h]) for r,(w,h) in zip(sizes, ((2,1),(2,0),(1,0)))]
        assert np.ptp(scales)<.02*np.max(scales), scales                  # pixels per mm: one for all
        assert [''.join(box.locator('.mi-frame').nth(k).locator('b').all_inner_texts()) for k in range(3)]==[
            'RLAP','RLSI','APSI']
        page.mouse.click(*at(box, 3.5/12, 4.5/16))                        # axial: column 3, row 4
        check([middle[0],4,3])
        page.mouse.click(*at(box, 9.5/12, 2.5/20, 1))                     # coronal: column 9, third slice from above
        check([17,4,9])
        voxel = np.linalg.inv(volume.affine)@turned.affine@[17,4,9,1]
        k,row,col = (int(o) for o in voxel[:3].round())
        x,y,z = turned.affine[:3]@[17,4,9,1]
        where = [f'{letters[int(o<0)]} {abs(o):.0f}' for letters,o in zip(('LR','PA','SI'), (x,y,z))]
        text = f"{', '.join(where)} mm, voxel [{k}, {row}, {col}]: {volume.values[k,row,col]:.0f} HU"
        assert value(box)==text+', left'*(k>=6), (value(box),text)
        page.wait_for_timeout(450)
        page.mouse.move(*at(box, .5, .5, 2))
        turn(page, 100)                                                   # sagittal: the next to the left
        check([17,4,10])
        page.mouse.down()
        page.mouse.move(*at(box, 1.5/16, 18.5/20, 2), steps=5)            # drags the cross: row 1, slice 1
        page.mouse.up()
        check([1,1,10])
        for k,(x,y) in enumerate(((10.5/12,1.5/16), (10.5/12,18.5/20), (1.5/16,18.5/20))):
            names = '.mi-frame','.mi-across','.mi-down'
            frame,across,down = (box.locator(name).nth(k).bounding_box() for name in names)
            lines = (down['x']-frame['x'])/frame['width'],(across['y']-frame['y'])/frame['height']
            np.testing.assert_allclose(lines, (x,y), atol=.01)
        assert places(other)==middle, 'the other explorer moved along'
        shown = [pixels(box, 1, k)[...,3]>0 for k in range(3)]            # the mask, cut as the values are
        left = reorient_volume(Volume(mask, volume.affine), 'LPS')
        for found,plane in zip(shown, volume_planes(left, [1,1,10])):
            np.testing.assert_array_equal(found, plane.values>0)

def move_fingers(page, *paths, steps=8):
    "Fingers that go from their first place to their second"
    session = page.context.new_cdp_session(page)
    def touch(kind, share):
        points = [dict(x=x+(to_x-x)*share, y=y+(to_y-y)*share, id=k) for k,((x,y),(to_x,to_y)) in enumerate(paths)]
        session.send('Input.dispatchTouchEvent', dict(type=kind, touchPoints=[] if kind=='touchEnd' else points))
        page.wait_for_timeout(16)
    touch('touchStart', 0)
    for k in range(1, steps+1): touch('touchMove', k/steps)
    touch('touchEnd', 1)
    page.wait_for_timeout(200)

def test_touch(browser):
    "one finger to the side scrolls slices, up and down the page; two fingers zoom, a tap shows values"
    x = numbered_stack()
    phone = dict(viewport=dict(width=390, height=844), has_touch=True, is_mobile=True, color_scheme='dark')
    with opened(browser, explore(x), explore_volume(odd_volume()), **phone) as page:
        assert page.evaluate('document.documentElement.scrollWidth')<=390
        box,volume = (page.locator('.mi-explore').nth(k) for k in (0,1))
        page.touchscreen.tap(*at(box, 10.5/50, 30.5/40))
        assert value(box)==f'row 30, column 10: {x[6,30,10]}', value(box)
        move_fingers(page, (at(box, .5, .5), at(box, .5+3/12, .5)))
        assert place(box)=='10 of 12' and scrolled(page)==0, (place(box),scrolled(page))
        move_fingers(page, (at(box, .5, .5), at(box, .5-6/12, .52)))
        assert place(box)=='4 of 12' and scrolled(page)==0, (place(box),scrolled(page))
        move_fingers(page, (at(box, .5, .8), at(box, .5, .1)))
        assert place(box)=='4 of 12' and scrolled(page)>100, (place(box),scrolled(page))
        page.wait_for_timeout(1500)                                      # the page rolls on
        page.evaluate('scrollTo(0, 0)')
        page.wait_for_timeout(300)
        move_fingers(page, (at(box, .45, .5), at(box, .25, .5)), (at(box, .55, .5), at(box, .75, .5)))
        grown = box.locator('.mi-layer').bounding_box()['width']/box.locator('.mi-frame').bounding_box()['width']
        assert 4<grown<6 and place(box)=='4 of 12', (grown,place(box))
        assert page.evaluate('visualViewport.scale')==1, 'the page was zoomed'
        move_fingers(page, (at(box, .4, .8), at(box, .4, .5)), (at(box, .6, .8), at(box, .6, .5)))
        assert scrolled(page)==0 and value(box).startswith('row 2'), (scrolled(page),value(box))
        page.touchscreen.tap(*at(box, .52, .25))
        assert value(box)==f'row 20, column 25: {x[3,20,25]}', value(box)      # the picture went along
        move_fingers(page, (at(box, .4, .5), at(box, .4, .8)), (at(box, .6, .5), at(box, .6, .8)))
        page.touchscreen.tap(*at(box, .5, .5))
        assert value(box)==f'row 20, column 25: {x[3,20,25]}', value(box)
        for _ in range(2): page.touchscreen.tap(*at(box, .5, .5))              # back to the first size
        page.wait_for_timeout(100)
        assert box.locator('.mi-layer').bounding_box()['width']==box.locator('.mi-frame').bounding_box()['width']
        volume.scroll_into_view_if_needed()
        page.touchscreen.tap(*at(volume, 3.5/12, 4.5/16))
        assert [place(volume, k).split()[0] for k in range(3)]==['11','5','4'], value(volume)

def test_masks(browser):
    "the explorer shows masks in their colors, names them at the pointer, hides them and lets the picture through"
    y,x = np.mgrid[:60,:80]
    masks = {'one <b>': np.stack([x<40]*2), 'two': np.stack([y<30,y>=30])}
    colors = structure_colors([1,2]).astype(float)
    def expected(k, shown):
        where = [masks[name][k][...,None]*on for name,on in zip(masks, shown)]
        n = sum(where)
        mean = np.rint(sum(o*color for o,color in zip(where, colors))/np.maximum(n, 1))
        return np.concatenate([mean,255*(n>0)], 2)
    with opened(browser, explore(np.zeros((2,60,80)), (2,0), masks=masks)) as page:
        box = page.locator('.mi-explore')
        def shows(k, shown, opacity):
            np.testing.assert_array_equal(pixels(box, 1), expected(k, shown))
            seen = cv2.imdecode(np.frombuffer(box.locator('.mi-frame').screenshot(), np.uint8), cv2.IMREAD_COLOR)
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
        page.mouse.move(*at(box, .25, .25))
        assert value(box)=='row 15, column 20: 0, one <b>, two', value(box)
        page.locator('.mi-masks label', has_text='one <b>').click()
        shows(0, (0,1), .4)
        drag(page, page.locator('input[name=slice]'), 1)
        drag(page, page.locator('input[name=opacity]'), 1)
        shows(1, (0,1), 1)

def colored_frames(n=12, rows=40, cols=50):
    "Frames whose red, green and blue name frame, row and column"
    k,row,col = np.broadcast_arrays(*np.ogrid[:n,:rows,:cols])
    return np.stack([20*k,6*row,255-5*col], -1).astype(np.uint8)

def test_colors(browser):
    "color frames keep their colors; wheel, keys, play, zoom and touch are those of gray stacks"
    x,cine = colored_frames(),dcmread(sample_file('examples_ybr_color'))
    with opened(browser, explore_colors(x, rate=20), cine.explore(), explore_colors(x[0])) as page:
        box,sample,single = (page.locator('.mi-explore').nth(k) for k in range(3))
        def shows(k):
            assert place(box)==f'{k+1} of 12', place(box)
            np.testing.assert_array_equal(pixels(box)[...,:3], x[k])
        shows(6)
        seen = box.locator('.mi-frame').screenshot()
        seen = cv2.imdecode(np.frombuffer(seen, np.uint8), cv2.IMREAD_COLOR)[...,::-1]
        middle = seen[seen.shape[0]//2,seen.shape[1]//2].astype(int)
        assert abs(middle-x[6,20,25]).max()<9, (middle,x[6,20,25])
        page.mouse.move(*at(box, 10.5/50, 30.5/40))
        page.wait_for_timeout(50)
        assert value(box)=='row 30, column 10: (120, 180, 205)', value(box)
        turn(page, 100)
        shows(7)
        assert value(box)=='row 30, column 10: (140, 180, 205)', value(box)
        page.keyboard.press('ArrowUp')
        page.keyboard.press('Home')
        shows(0)
        page.mouse.down()                                                # no window to drag
        page.mouse.move(*at(box, .5, .5), steps=3)
        page.mouse.up()
        shows(0)
        page.keyboard.press('+')
        assert box.locator('.mi-layer').bounding_box()['width']>1.2*box.locator('.mi-frame').bounding_box()['width']
        page.mouse.move(*at(box, 10.5/50, 30.5/40))
        before = value(box)
        page.mouse.down()                                                # but what is enlarged moves along
        page.mouse.move(*at(box, 12.5/50, 31.5/40), steps=3)
        page.mouse.up()
        assert value(box)==before, (value(box),before)
        page.mouse.dblclick(*at(box, .5, .5))
        assert box.locator('.mi-layer').bounding_box()['width']==box.locator('.mi-frame').bounding_box()['width']
        box.locator('.mi-play').click()
        page.wait_for_timeout(400)
        page.keyboard.press('Space')
        assert box.locator('.mi-play').inner_text()=='Play' and place(box)!='1 of 12', place(box)
        shows(int(place(box).split()[0])-1)
        found = pixels(sample)[...,:3].astype(int)                       # of a file, as JPEG
        assert place(sample)=='16 of 30' and abs(found-rgb8(cine, 15)).mean()<1, place(sample)
        assert sample.locator('.mi-rate').inner_text()=='30 / s'
        assert not single.locator('.mi-play, .mi-histogram, input').count()
    phone = dict(viewport=dict(width=390, height=844), has_touch=True, is_mobile=True)
    with opened(browser, explore_colors(x), **phone) as page:
        box = page.locator('.mi-explore')
        assert page.evaluate('document.documentElement.scrollWidth')<=390
        move_fingers(page, (at(box, .5, .5), at(box, .5+3/12, .5)))
        assert place(box)=='10 of 12' and scrolled(page)==0, place(box)
        page.touchscreen.tap(*at(box, 10.5/50, 30.5/40))
        assert value(box)=='row 30, column 10: (180, 180, 205)', value(box)

TESTS = (test_masks, test_scrolling, test_wheel_of_page, test_window_drag, test_zoom, test_playing, test_planes,
    test_touch, test_colors)
