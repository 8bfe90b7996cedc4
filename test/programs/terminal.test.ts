import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CLI, ROOT } from '../setup/faultline.ts';
import { debianFile, HOW_TO_GET } from './debian.ts';

const busybox = debianFile('usr/bin/busybox');
const hasPython = spawnSync('python3', ['-c', 'import pty'], { stdio: 'ignore' }).status === 0;
const PROMPT = '% ';

/** [keys, what ends the wait]. */
type Step = readonly [keys: string, wanted: string, seconds?: number];

function session(program: string[], steps: readonly Step[]): { shown: string[]; status: number | null } {
  const command = [process.execPath, CLI, 'run', '--env', `PS1=${PROMPT}`, '--mount', `${busybox}:/bin/busybox:ro`];
  const result = spawnSync('python3', [join(ROOT, 'test/setup/pty-session.py'), ...command, busybox!, ...program], {
    input: JSON.stringify(steps.map(([keys, wanted, seconds]) => [keys, wanted, seconds ?? 15])),
    encoding: 'utf8',
    timeout: 280_000,
  });
  if (result.status !== 0) throw new Error(result.stderr);
  const { shown, status } = JSON.parse(result.stdout) as { shown: string[]; status: number | null };
  // ash asks the terminal for the cursor's place after each prompt.
  return { shown: shown.map((text) => text.replaceAll('\x1b[6n', '')), status };
}

describe.skipIf(busybox === null || !hasPython)(`an interactive shell ${HOW_TO_GET}`, () => {
  let shown: Map<string, string>;
  let status: number | null;

  const steps: readonly (readonly [name: string, ...step: Step])[] = [
    ['start', '', PROMPT],
    ['command', 'echo hello\r', PROMPT],
    ['erase', 'echo abX\x7fc\r', PROMPT],
    ['line start, delete', 'qecho one\x01\x04\r', PROMPT],
    ['history', '\x1b[A\r', PROMPT],
    ['size', 'stty size\r', '30 100\r\n% '],
    ['resize', 'RESIZE 50 132', '', 0.5],
    ['size again', 'stty size\r', '50 132\r\n% '],
    ['is a terminal', '[ -t 0 ] && [ -t 1 ] && echo yes\r', 'yes\r\n% '],
    ['cancel a line', 'partial\x03', PROMPT],
    ['sleep', 'sleep 100\r', '\n', 1.5],
    ['interrupt', '\x03', PROMPT],
    ['status', 'echo $?\r', PROMPT],
    ['busy', 'while :; do :; done\r', '\n', 1],
    ['interrupt it', '\x03', PROMPT],
    ['sleep again', 'sleep 100\r', '\n', 1],
    ['stop', '\x1a', PROMPT],
    ['jobs', 'jobs\r', PROMPT],
    ['background', 'bg\r', PROMPT],
    ['running', 'jobs\r', PROMPT],
    ['foreground', 'fg\r', '\nsleep 100\r\n', 1],
    ['interrupt the job', '\x03', PROMPT],
    ['reads the terminal from the background', 'cat &\r', PROMPT],
    ['is stopped', 'sleep 0.2; jobs\r', 'Stopped', 3],
    ['and killed', 'kill -9 %1; sleep 0.2; wait; echo gone\r', 'Killed'],
    ['cat', 'cat\r', '\r\n', 1],
    ['a line', 'line\r', 'line\r\nline\r\n'],
    ['erase and kill', 'ab\x7fc\x15xyz\r', 'xyz\r\nxyz\r\n'],
    ['end of file', '\x04', PROMPT],
    ['quit', 'sleep 50\r', '\n', 1],
    ['by the key', '\x1c', PROMPT],
    ['finished in the background', 'sleep 0.1 &\r', PROMPT],
    ['is told', 'sleep 0.5\r', 'Done'],
    ['no echo', 'stty -echo; read x; stty echo; echo "<$x>"\r', '\n', 1],
    ['secret', 'secret\r', '<secret>\r\n% '],
    ['leave', 'exit 7\r', '<EOF>'],
  ];

  beforeAll(() => {
    const result = session(
      ['sh', '-i'],
      steps.map(([, ...step]) => step as Step),
    );
    shown = new Map(steps.map(([name], i) => [name, result.shown[i]]));
    status = result.status;
  }, 300_000);

  const see = (name: string) => expect(shown.get(name), name);

  test('prompt, echo, line editing, history', () => {
    see('start').toMatch(/% $/);
    see('command').toBe('echo hello\r\nhello\r\n% ');
    see('erase').toMatch(/\r\nabc\r\n% $/);
    see('line start, delete').toMatch(/\r\none\r\n% $/);
    see('history').toMatch(/\r\none\r\n% $/);
  });

  test('it is a terminal, of the host’s size', () => {
    see('is a terminal').toMatch(/\r\nyes\r\n% $/);
    see('size').toContain('30 100');
    see('size again').toContain('50 132');
  });

  test('Ctrl-C interrupts what runs, and nothing else', () => {
    see('cancel a line').toMatch(/^partial\^C\r\n/);
    see('sleep').toBe('sleep 100\r\n');
    see('interrupt').toBe('^C\r\n% ');
    see('status').toBe('echo $?\r\n130\r\n% ');
    see('interrupt it').toMatch(/^\^C\r\n/);
    see('by the key').toMatch(/^\^\\/);
  });

  test('job control: Ctrl-Z, jobs, bg, fg', () => {
    see('stop').toMatch(/^\^Z\[1\]\+ {2}Stopped +sleep 100\r\n% $/);
    see('jobs').toContain('Stopped');
    see('background').toContain('[1] sleep 100');
    see('running').toContain('Running');
    see('foreground').toBe('fg\r\nsleep 100\r\n');
    see('interrupt the job').toMatch(/^\^C\r\n% $/);
    see('is stopped').toMatch(/Stopped \(tty input\) +cat/);
    see('and killed').toMatch(/\r\ngone\r\n\[1\]\+ {2}Killed +cat\r\n% $/);
    see('is told').toMatch(/Done +sleep 0\.1/);
  });

  test('the terminal’s own line discipline: echo, erase, kill, end of file', () => {
    see('a line').toBe('line\r\nline\r\n');
    see('erase and kill').toBe('ab\b \bc\b \b\b \bxyz\r\nxyz\r\n');
    see('end of file').toBe('% ');
    see('secret').toBe('<secret>\r\n% ');
  });

  test('exit gives its status', () => {
    see('leave').toContain('<EOF>');
    expect(status).toBe(7);
  });

  test('Ctrl-D ends the shell', () => {
    const { shown: texts, status: code } = session(
      ['sh', '-i'],
      [
        ['', PROMPT],
        ['\x04', '<EOF>'],
      ],
    );
    expect(texts[1]).toContain('<EOF>');
    expect(code).toBe(0);
  });
});
