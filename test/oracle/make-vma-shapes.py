"""Writes vma-shapes.txt (hand-written and random sequences) and, from the oracle's output, fixtures/vma-shapes.json.

usage: make-vma-shapes.py scripts > vma-shapes.txt;  make-vma-shapes.py fixture KERNEL < output > vma-shapes.json
"""
import json, random, sys

HAND = """
# merge with the mapping before, after and both
map p 10 2 3
map p 14 2 3
map p 12 2 3
# rights differ, then meet
map p 0 9 3
protect 3 3 1
protect 3 3 3
# rights change at the left edge
map p 0 4 3
map p 4 4 1
protect 0 2 1
protect 2 2 1
# faulted halves merge when one has no anon_vma
map p 0 4 3
write 0 2
map p 4 4 3
write 6 1
map p 8 4 3
write 10 1
# two anon_vmas of their own do not merge
map p 0 2 3
write 0 1
map p 4 2 3
write 4 1
map p 2 2 3
write 2 1
# private file continues or does not
map f 0 4 3 0
map f 4 4 3 4
map f 8 4 3 9
map f 12 4 3 0
protect 2 4 1
protect 2 4 3
# shared anonymous never merges with another
map s 0 4 3
map s 4 4 3
protect 1 2 1
protect 1 2 3
# shared file merges
map g 0 4 3 0
map g 4 4 3 4
write 0 8
unmap 2 2
map g 2 2 3 2
# read-only shared file refuses write
map r 0 4 1 0
protect 0 4 3
protect 0 4 5
# holes
map p 0 4 3
map p 6 4 3
protect 0 10 1
protect 4 2 1
advise 0 10 4
sync 0 10 4
sync 0 10 1
unmap 3 4
# munmap cuts a mapping in three
map p 0 30 3
write 0 30
unmap 10 10
unmap 0 30
unmap 0 30
# noreplace and hints
map p 0 4 3
map po 2 4 3
map po 4 4 3
map ph 100 4 3
map ph 0 4 3
# growsdown grows to the touch, the gap is kept
map pd 1000 2 3
write 990 1
write 800 1
map p 400 2 3
write 600 1
write 658 1
write 657 1
write 402 1
# growsdown beside growsdown and beside nothing accessible
map p 700 2 0
map pd 1000 2 3
write 702 1
write 701 1
# growsdown below the limit of the gap in a search by hint
map pd 1000 2 3
map ph 900 4 3
map ph 740 4 3
map ph 741 4 3
# protect growsdown
map pd 500 4 3
protect 502 1 16777217
protect 502 1 33554433
# remap grows in place, then moves
map p 0 4 3
write 0 4
remap 0 4 8 0 0
map p 9 1 3
remap 0 8 12 0 0
remap 0 8 12 1 0
# remap fixed, whole and part
map p 0 8 3
write 0 8
remap 0 8 8 3 100
remap 102 2 2 3 0
remap 100 2 4 3 50
read 0 2
# remap shrinks
map p 0 8 3
remap 0 8 3 0 0
remap 0 3 2 3 20
# remap: errors
map p 0 4 3
remap 0 4 0 0 0
remap 0 8 9 1 0
remap 0 4 4 3 2
remap 10 1 1 0 0
remap 0 4 8 2 100
remap 0 0 4 1 0
remap 0 4 4 8 0
remap 0 4 5 7 100
# remap duplicates a shared mapping
map s 0 4 3
write 0 4
remap 0 0 4 3 20
remap 0 0 2 1 0
# dontunmap
map p 0 4 3
write 0 4
remap 0 4 4 5 100
remap 0 4 4 7 200
map g 20 4 3 0
remap 20 4 4 7 300
# remap over several mappings
map p 0 4 3
map p 4 4 1
map f 8 4 3 0
write 0 2
remap 0 12 12 3 100
# remap over several mappings with holes
map p 0 4 3
map p 6 4 1
write 0 2
remap 0 10 10 3 100
remap 98 10 10 3 200
remap 0 1 1 3 300
# remap moves untouched memory beside its like
map p 0 4 3
map p 100 4 3
remap 0 4 4 3 104
# remap moves touched memory beside untouched
map p 0 4 3
write 0 1
map p 100 4 3
remap 0 4 4 3 104
# remap moves touched memory beside touched
map p 0 4 3
map p 4 4 3
write 0 8
remap 0 4 4 3 100
remap 4 4 4 3 104
# remap grows into the next of its kind
map p 0 4 3
map p 6 4 3
remap 0 4 6 0 0
# fork: the child's touched memory is not widened
map p 0 4 3
write 0 4
fork
map p 4 4 3
write 1 1
protect 0 2 1
protect 0 2 3
# fork: untouched memory merges as before
map p 0 4 3
fork
map p 4 4 3
write 0 8
# fork: wiped and not copied
map p 0 4 3
map p 4 4 3
write 0 8
advise 0 2 18
advise 6 2 10
fork
read 0 2
map p 6 2 3
# advice splits and merges
map p 0 10 3
advise 2 4 1
advise 4 4 2
advise 2 6 0
advise 0 10 16
advise 0 10 17
advise 0 10 10
advise 0 10 11
advise 3 2 18
advise 3 2 19
# advice on files
map f 0 4 3 0
advise 0 4 18
advise 0 4 3
advise 0 4 4
write 0 4
advise 1 2 4
advise 0 4 22
advise 0 4 23
# populate advice: errors
map p 0 4 1
advise 0 4 23
advise 0 5 22
map f 10 4 3 254
advise 10 4 22
map p 20 4 0
advise 20 4 22
# lock splits and merges
map p 0 10 3
lock 2 3
lock 5 2
unlock 0 10
lock 8 4
unlock 8 4
advise 8 1 4
lock 8 1
advise 8 1 4
advise 8 1 24
sync 8 1 2
sync 8 1 6
sync 8 1 5
# noreserve differs
map p 0 4 3
map pn 4 4 3
# stack flag differs
map p 0 4 3
map pk 4 4 3
# overmapping with another kind
map p 0 10 3
write 0 10
map f 3 4 3 0
map s 5 4 1
unmap 0 4
# sigbus beyond the end
map f 0 4 3 254
read 0 2
read 2 1
write 3 1
map g 4 4 3 254
write 4 3
# protection of private file touched
map f 0 8 3 0
write 2 2
protect 0 8 1
protect 4 4 3
write 4 1
write 0 1
protect 0 4 3
write 0 4
# exec and none
map p 0 4 0
read 0 1
protect 0 2 5
read 0 2
write 0 1
protect 1 1 0
read 1 1
protect 0 4 3
write 0 4
""".strip()


def random_sequence(rng):
    out = []
    page = lambda: rng.randrange(0, 40)
    size = lambda: rng.choice([1, 1, 2, 2, 3, 4, 6, 8, 12])
    prot = lambda: rng.choice([0, 1, 1, 3, 3, 3, 3, 5])
    forked = False
    for _ in range(16):
        r = rng.random()
        if r < 0.34:
            kind = rng.choice(['p'] * 6 + ['f', 'f', 'g', 's', 'pn', 'pu', 'po'])
            p = page()
            out.append(f'map {kind} {p} {size()} {prot()} {p if rng.random() < 0.8 else page()}')
        elif r < 0.44:
            out.append(f'unmap {page()} {size()}')
        elif r < 0.60:
            out.append(f'protect {page()} {size()} {prot()}')
        elif r < 0.80:
            out.append(f'write {page()} {size()}')
        elif r < 0.84:
            out.append(f'read {page()} {size()}')
        elif r < 0.90:
            out.append(f'advise {page()} {size()} {rng.choice([0, 1, 2, 4, 10, 11, 16, 17, 18, 19])}')
        elif r < 0.97:
            old = size()
            new = old if rng.random() < 0.5 else size()
            to = rng.choice([page(), 60 + page()])
            out.append(f'remap {page()} {old} {new} {rng.choice([0, 1, 3, 3, 3, 7])} {to}')
        elif not forked and len(out) > 4:
            forked = True
            out.append('fork')
    return out


if sys.argv[1] == 'scripts':
    print(HAND)
    rng = random.Random(20261121)
    for i in range(int(sys.argv[2]) if len(sys.argv) > 2 else 90):
        print(f'# random {i}')
        print('\n'.join(random_sequence(rng)))
else:
    sequences = []
    for line in sys.stdin:
        line = line.rstrip('\n')
        if line.startswith('#'):
            sequences.append({'name': line[2:], 'steps': []})
        elif line:
            op, result, shape = line.split('\t')
            sequences[-1]['steps'].append([op, int(result), shape.strip()])
    print('{"kernel":' + json.dumps(sys.argv[2]) + ',"sequences":[')
    print(',\n'.join(json.dumps(s, separators=(',', ':')) for s in sequences))
    print(']}')
