import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';
import { debianFile, HOW_TO_GET } from './debian.ts';

const busybox = debianFile('usr/bin/busybox');
let folder: string;

/** A tree of some thousand small files with words to look for, the same in every run. */
function makeTree(root: string): void {
  let state = 12345;
  const random = (bound: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const words = ['page', 'frame', 'fault', 'table', 'swap', 'needle', 'stack', 'heap', 'zone', 'slab'];
  for (let d = 0; d < 40; d++) {
    const dir = join(root, `dir${d}`);
    mkdirSync(dir, { recursive: true });
    for (let f = 0; f < 75; f++) {
      const lines = Array.from({ length: 1 + random(12) }, () =>
        [random(100000), ...Array.from({ length: 5 }, () => words[random(random(4) === 0 ? 10 : 5)])].join(' '),
      );
      writeFileSync(join(dir, `file${f}.txt`), `${lines.join('\n')}\n`);
    }
  }
}

describe.skipIf(busybox === null)(`busybox for riscv64 ${HOW_TO_GET}`, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-busybox-'));
    makeTree(join(folder, 'tree'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const guest = (script: string, ...options: string[]) =>
    faultline(['run', ...options, '--mount', `${busybox}:/bin/busybox:ro`, busybox!, 'sh', '-c', script], {
      cwd: folder,
    });
  const host = (script: string) =>
    execFileSync('/bin/bash', ['-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });

  /** Same command line in the guest and on the host, same output. */
  const same = (script: string) => {
    const result = guest(script);
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe(host(script));
    expect(result.status).toBe(0);
  };

  test('a pipeline with redirections', () => {
    same('echo one two three > /tmp/fl$$; cat < /tmp/fl$$ | tr " " "\\n" | sort -r | head -n 2; rm /tmp/fl$$');
  });

  test('loops, functions, arithmetic and here-documents', () => {
    same(
      'f() { echo $(($1 * $1)); }; i=0; while [ $i -lt 20 ]; do f $i; i=$((i+1)); done; for w in a b c; do cat <<END\n<$w>\nEND\ndone',
    );
  });

  test('background jobs and wait', () => {
    same('(sleep 0.02; echo late) & (exit 7) & p=$!; wait $p; echo status $?; wait; echo all');
  });

  test('a killed child reports its signal', () => {
    same('sh -c "kill -9 \\$\\$" 2>/dev/null; echo $?');
  });

  test('ls -R and find', () => {
    same('cd tree; ls -R | sort | sha256sum; find . -name "*7.txt" -size -2 | sort');
  });

  test('grep -r', () => {
    same('grep -r needle tree | sort');
  });

  test('awk and sort', () => {
    same("cat tree/dir1?/*.txt | awk '{ n[$2]++; s += $1 } END { for (w in n) print n[w], w; print s }' | sort -n");
  });

  test('sed', () => {
    same("sed -n 's/\\([a-z]*\\) needle/[\\1]/gp' tree/dir3/*.txt");
  });

  test('sort a large file', () => {
    same('cat tree/*/*.txt | sort -k2,2 -k1,1n | sha256sum');
  });

  test('sha256sum of every file', () => {
    same('find tree -type f | sort | xargs sha256sum');
  });

  test('ls -l shows modes, sizes and times', () => {
    host(
      'find tree -type f | head -500 | xargs touch -d "2001-02-03 04:05:06 UTC"; chmod 640 tree/dir0/*; chmod 755 tree/dir1/*',
    );
    same("TZ=UTC ls -lnR tree | grep '^-' | awk '{ print $1, $2, $5, $6, $7, $8, $9 }' | grep ' 2001 '");
    same("find tree -type f | sort | head -200 | xargs stat -c '%n %s %a %Y %h %F'");
  });

  test('find and xargs, in several ways', () => {
    same("find tree -type f -name 'file1*.txt' -print0 | sort -z | xargs -0 cat | md5sum");
    same(
      "find tree -type f | sort | xargs -n 100 wc -l | tail -1 | tr -s ' '; find tree -type d | wc -l; find tree -size +1 | sort | head -5",
    );
  });

  test('small tools in a row', () => {
    same(
      "cat tree/dir2/*.txt | cut -d ' ' -f 2,3 | sort | uniq -c | sort -rn | head -5; seq 1 100 | tail -3; expr 6 '*' 7; printf '%05d|%s|%x\\n' 42 str 255; echo hello | tr a-z A-Z | rev; head -c 64 tree/dir0/file0.txt | od -c; dd if=tree/dir1/file1.txt bs=7 count=3 skip=1 2>/dev/null; basename /a/b.c .c; dirname /a/b.c",
    );
  });

  test('ten megabytes through five stages', () => {
    same("head -c 10000000 /dev/zero | tr '\\0' 'x' | cat | tee /dev/null | sha256sum");
  });

  test('diff and patch', () => {
    same(
      'd=/tmp/fd$$; mkdir $d; seq 1 200 > $d/a; sed -e 50d -e s/77/seventy/ -e "120a new line" $d/a > $d/b; cd $d; diff -u -L a -L b a b; diff -u a b > p; patch a p > /dev/null; cmp a b && echo equal; cd /; rm -r $d',
    );
  });

  test('traps, set -e, exit statuses', () => {
    same(
      `trap 'echo bye' EXIT; trap 'echo usr1' USR1; kill -USR1 $$; echo on
sh -c 'set -e; echo a; false; echo b'; echo $?
sh -c 'set -e; if false; then :; fi; false || echo kept; (exit 3)'; echo $?
sh -c 'trap "echo int; exit 9" INT; kill -INT $$; echo no'; echo $?
! true; echo $?; true && false || echo or; sh -c 'exit 300'; echo $?; nonexistent-command 2>/dev/null; echo $?`,
    );
  });

  test('subshells, substitution, here-documents, parameter expansion, case, read', () => {
    same(
      `x=outer; (x=inner; cd /; echo $x $PWD); echo $x; y=$(echo a; echo $(echo b | tr b c)); echo "$y"
cat <<A <<'B'
first
A
second $x
B
cat <<A
  $x $((2 + 3)) \`echo back\`
A
p=/usr/local/lib.tar.gz; echo \${p##*/} \${p%%.*} \${p%.*} \${#p} \${u:-unset} \${p:+set}
for w in one two1 '' 33; do case $w in [0-9]*) echo number;; *[0-9]) echo ends;; '') echo empty;; *) echo word;; esac; done
printf 'a b c\\nd e\\n' | while read -r first rest; do echo "[$first][$rest]"; done
set -- q w e; echo $# $2 "$@"; shift; echo $*; f() { local x=l; echo $x; return 4; }; f; echo $? $x
i=0; until [ $i -ge 3 ]; do i=$((i + 1)); [ $i = 2 ] && continue; echo $i; done; { echo g; echo h; } | cat`,
    );
  });

  test('background jobs: order, status, wait, many at once', () => {
    same(
      `for i in 5 4 3 2 1; do (sleep 0.$i; echo $i) & done; wait; (exit 5) & p=$!; wait $p; echo $?
sh -c 'sleep 100 & p=$!; kill $p; wait $p; echo $?' 2>/dev/null
sh -c '(sleep 0.05; kill -TERM $$) & trap "echo term" TERM; sleep 0.3; echo after'
i=0; while [ $i -lt 40 ]; do (exit $((i % 7))) & i=$((i + 1)); done; wait; echo reaped`,
    );
  });

  test('redirections of every kind', () => {
    same(
      `d=/tmp/fr$$; mkdir $d; cd $d; echo a > f; echo b >> f; cat < f; { echo out; echo err >&2; } > o 2> e; cat o e
{ echo both; ls nothing-here; } > g 2>&1; wc -l < g; exec 3> h; echo three >&3; exec 3>&-; cat h; cat f - <<END | tr a-z A-Z
in
END
set -C; (echo no > f) 2>/dev/null || echo kept; echo yes >| f; cat f; exec 4< f; read l <&4; echo $l; : >| f; wc -c < f; mkfifo p; (echo through > p) & cat p; wait; cd /; rm -r $d`,
    );
  });

  test('gzip output is read by the host, and the host’s by the guest', () => {
    same('cat tree/*/*.txt | gzip -9 | gunzip | sha256sum');
    const result = guest('cat tree/*/*.txt | gzip > all.gz', '--mount', `${folder}:rw`);
    expect(result.stderr).toBe('');
    expect(host('gunzip < all.gz | sha256sum')).toBe(host('cat tree/*/*.txt | sha256sum'));
    host('gzip -c tree/dir0/file0.txt > host.gz');
    expect(guest('gunzip < host.gz').stdout).toBe(readFileSync(join(folder, 'tree/dir0/file0.txt'), 'utf8'));
  });

  test('tar both ways, on the host’s own disk', () => {
    const made = guest(
      'tar cf guest.tar tree && mkdir -p unpacked && cd unpacked && tar xf ../guest.tar',
      '--mount',
      `${folder}:rw`,
    );
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);
    expect(host('diff -r tree unpacked/tree && echo same')).toBe('same\n');
    expect(host('mkdir -p again && tar xf guest.tar -C again && diff -r tree again/tree && echo same')).toBe('same\n');
  });

  test('what is written without a rw mount is dropped, and the note names it', () => {
    const result = guest('echo x > dropped.txt; cat dropped.txt');
    expect(result.stdout).toBe('x\n');
    expect(result.stderr).toMatch(/^faultline: dropped .*dropped\.txt.*--mount \.:rw/m);
    expect(host('ls dropped.txt 2>/dev/null || echo absent')).toBe('absent\n');
  });

  test('ps-like files of /proc tell the truth about children', () => {
    const result = guest('sleep 10 & p=$!; cat /proc/$p/comm; kill $p; wait $p; echo $?');
    expect(result.stdout).toBe('sleep\n143\n');
  });
});
