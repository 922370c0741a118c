"De-identified copies, ours and theirs"
from io import BytesIO

from medical_imaging.privacy.clean import Deidentifier,dicom_bytes
from medical_imaging.privacy.verify import find_traces

from dicognito.anonymizer import Anonymizer

from harness import Comparison,Topic,Way
from images import describe,file_bytes,opened,stored

topic = Topic('De-identification')
names = '693_UNCR','MR2_UNCR','emri_small'     # a head CT, an MR, and an enhanced MR with nested groups for each frame
deidentifier,anonymizer = Deidentifier(b'no secret at all'),Anonymizer(seed='no secret at all')

def ours(name): return dicom_bytes(deidentifier.clean(opened(name)))

def verified(name):
    "As `deidentify` makes a copy: what was written is read and searched"
    ds = opened(name)
    data = dicom_bytes(deidentifier.clean(ds))
    if find_traces(ds, data): raise AssertionError(f'{name}: there are traces')
    return data

def theirs(name):
    ds = opened(name)
    anonymizer.anonymize(ds)
    out = BytesIO()
    ds.save_as(out)
    return out.getvalue()

def plain(name):
    out = BytesIO()
    opened(name).save_as(out)
    return out.getvalue()

@topic.time
def one_file():
    for name in names:
        image = describe(name, stored(name))|dict(bytes=len(file_bytes(name)))
        yield Comparison('A file without its patient', image,
            [Way('Deidentifier', Deidentifier.clean, 'medical_imaging', (name,), ours),
            Way('dicognito', Anonymizer.anonymize, 'dicognito', (name,), theirs,
            note='keeps most text that the profile removes'),
            Way('Deidentifier and find_traces', find_traces, 'medical_imaging', (name,), verified,
            note='what was written is read again and searched'),
            Way('reading and writing alone', BytesIO, '_io', (name,), plain)],
            'From the bytes of a file to those of its copy.')
