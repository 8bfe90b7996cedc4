import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';
import { DEBIAN_DYNAMIC_ROOT, HOW_TO_GET_DYNAMIC, hasDynamicRoot } from './debian.ts';

/** Debian's own binaries, linked dynamically to glibc, as they are in the packages. */
describe.skipIf(!hasDynamicRoot)(`Debian's dynamic programs ${HOW_TO_GET_DYNAMIC}`, () => {
  const ENVIRONMENT = ['--env', 'LC_ALL=C.UTF-8', '--env', 'PATH=/usr/bin:/usr/sbin', '--env', 'TZ=UTC'];
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-debian-'));
    writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...command: string[]) => {
    const options = ['--root', DEBIAN_DYNAMIC_ROOT, '--cwd', '/tmp', '--mount', `${folder}/hosts:/etc/hosts:ro`];
    return faultline(['run', ...options, ...ENVIRONMENT, ...command]);
  };
  const bash = (script: string) => run('/usr/bin/bash', '-c', script);
  const python = (script: string) => run('/usr/bin/python3.13', '-B', '-c', script);

  /** Prints what the host's bash and coreutils print. */
  const same = (script: string) => {
    const result = bash(script);
    const environment = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    expect(result.stdout).toBe(
      execFileSync('/bin/bash', ['-c', `cd "$(mktemp -d)"; ${script}`], { encoding: 'utf8', env: environment }),
    );
    expect(result.status).toBe(0);
  };

  test('the loader maps the libraries, and forked processes share their text', () => {
    const result = bash(
      'cat /proc/self/maps; sleep 1 & sleep 0.2; while read -r a b; do [[ $a = Shared_Clean: ]] && echo "shared $b"; done < /proc/$$/smaps_rollup',
    );
    expect(result.stdout).toMatch(/^[0-9a-f]+-[0-9a-f]+ r-xp [0-9a-f]{8} \S+ \d+ +\/usr\/bin\/cat$/m);
    expect(result.stdout).toMatch(/ r-xp .*\/usr\/lib\/riscv64-linux-gnu\/libc\.so\.6$/m);
    expect(result.stdout).toMatch(/ r-xp .*\/usr\/lib\/riscv64-linux-gnu\/ld-linux-riscv64-lp64d\.so\.1$/m);
    expect(Number(/^shared (\d+) kB$/m.exec(result.stdout)?.[1])).toBeGreaterThan(1000);
  });

  test('bash: functions, arrays, process substitution, traps', () => {
    same(`f() { local n=$1; ((n<2)) && { echo $n; return; }; echo $(( $(f $((n-1))) + $(f $((n-2))) )); }; f 7
      declare -A h; h[x]=1; h[y]=2; echo \${h[x]} \${#h[@]}; mapfile -t m < <(seq 5); echo \${m[3]}
      trap 'echo got TERM' TERM; kill -TERM $$; coproc cat; echo hi >&\${COPROC[1]}; read -r x <&\${COPROC[0]}; echo $x`);
  });

  test('coreutils', () => {
    same(`seq 20000 | sort -R --random-source=<(yes) | sort -n | sha256sum; factor 123456789012345678
      dd if=/dev/zero bs=64k count=8 status=none | tee x y | md5sum; cmp x y && stat -c '%s %F %a %h' x; cp -a x z; mv z w; ls
      seq 1000 | split -l 300 - part; wc -l part*; truncate -s 1M sparse; stat -c '%s %b' sparse; tail -n 2 partaa | tac | base64`);
  });

  test('perl', () => {
    const result = run(
      '/usr/bin/perl',
      '-e',
      'my %n; $n{$_ % 7}++ for 1..1000; print join(",", map {"$_=$n{$_}"} sort keys %n), "\n"; if (my $p = fork) { waitpid $p, 0; print $? >> 8, "\n" } else { exit 5 }',
    );
    expect(result.stdout).toBe('0=142,1=143,2=143,3=143,4=143,5=143,6=143\n5\n');
  });

  test('python: json, threads, subprocesses, shared maps, ctypes', () => {
    const result = python(`
import ctypes, json, mmap, os, re, subprocess, threading
print(json.dumps({"a": [1, 2.5, None]}), re.findall(r"\\d+", "a1b22"))
found = []
threads = [threading.Thread(target=lambda i=i: found.append(i)) for i in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(found), subprocess.run(["seq", "3"], capture_output=True, text=True).stdout.split())
m = mmap.mmap(-1, 8192)
if os.fork() == 0:
    m[0:5] = b"child"; os._exit(3)
print(os.wait()[1], bytes(m[:5]), ctypes.CDLL("libm.so.6").abs(-4))
`);
    expect(result.stdout).toBe(
      `{"a": [1, 2.5, null]} ['1', '22']\n[0, 1, 2, 3, 4, 5, 6, 7] ['1', '2', '3']\n768 b'child' 4\n`,
    );
  });

  test('python: its own test_mmap, and sockets', () => {
    const tests = ['test.test_mmap', 'test.test_socket.BasicTCPTest', 'test.test_socket.BasicUDPTest'];
    const result = run('/usr/bin/python3.13', '-B', '-m', 'unittest', ...tests, 'test.test_socket.TestUnixDomain');
    expect(result.stderr).toMatch(/^OK \(skipped=\d+\)$/m);
    expect(result.status).toBe(0);
  });

  test('python: its own tests of multiprocessing: queues, locks, shared values and memory', () => {
    const suite = 'test.test_multiprocessing_fork.test_processes.WithProcessesTest';
    const tests = [
      'Queue.test_get',
      'Queue.test_fork',
      'Lock',
      'Value',
      'Array',
      'SharedMemory.test_shared_memory_across_processes',
      'SharedMemory.test_shared_memory_basics',
    ].map((name) => suite + name);
    const result = run('/usr/bin/python3.13', '-B', '-m', 'unittest', ...tests);
    expect(result.stderr).toMatch(/^OK$/m);
    expect(result.status).toBe(0);
  });

  test('sqlite3 with mmap_size', () => {
    const result = run(
      '/usr/bin/sqlite3',
      '/tmp/x.db',
      "pragma mmap_size=268435456; create table t(a integer primary key, b text); with recursive c(x) as (select 1 union all select x+1 from c where x<20000) insert into t select x, 'row '||x from c; create index i on t(b); select count(*), sum(a) from t; select a from t where b='row 7777'; pragma integrity_check;",
    );
    expect(result.stdout).toBe('268435456\n20000|200010000\n7777\nok\n');
  });

  test('strace follows forks through ptrace', () => {
    const result = bash(
      "strace -f -o log dash -c '(exit 3); /usr/bin/echo said'; grep -cE '[0-9]+ +execve\\(' log; cat log",
    );
    expect(result.stdout).toMatch(/^said\n2\n/);
    expect(result.stdout).toMatch(/^\d+ +write\(1, "said\\n", 5\) += 5$/m);
    expect(result.stdout).toMatch(/^\d+ +\+\+\+ exited with 3 \+\+\+$/m);
    expect(result.stdout).toMatch(/^\d+ +--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, .*si_status=3/m);
    expect(result.status).toBe(0);
  });

  test('git: commits, a merge, packing and fsck', () => {
    same(`
export HOME=$PWD GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git init -q -b main r && cd r && git config user.email a@b && git config user.name n
for i in 1 2 3; do echo $i > f$i; git add .; git commit -qm c$i; done
git checkout -q -b side HEAD~1; echo side > s; git add .; git commit -qm s; git merge -q --no-edit main
git gc -q; git fsck 2>&1; git log --format=%H; git status --short; ls .git/objects/pack/*.pack | wc -l`);
  });

  test('redis-server over TCP and a unix socket, with a background save', () => {
    const result = bash(`
redis-server --port 7777 --bind 127.0.0.1 --unixsocket /tmp/r.sock --save '' --dir /tmp > log 2>&1 &
until redis-cli -s /tmp/r.sock ping 2> /dev/null; do sleep 0.05; done
redis-cli -p 7777 set a 41; redis-cli -p 7777 incr a
redis-cli -s /tmp/r.sock eval 'for i=1,2000 do redis.call("set","k"..i,("v"):rep(100)..i) end return redis.call("dbsize")' 0
redis-cli -s /tmp/r.sock bgsave; redis-cli -s /tmp/r.sock set a 99; sleep 0.5
redis-cli -s /tmp/r.sock info persistence | grep -o 'rdb_last_bgsave_status:ok'; head -c 5 dump.rdb; echo
redis-cli -s /tmp/r.sock shutdown nosave; wait; tail -n 1 log | grep -o 'bye bye'`);
    expect(result.stdout).toBe(
      'PONG\nOK\n42\n2001\nBackground saving started\nOK\nrdb_last_bgsave_status:ok\nREDIS\nbye bye\n',
    );
  });
});
