import { RLIM_INFINITY, RLIMIT_CORE } from '../../abi/resource.ts';
import type { Kernel } from '../kernel.ts';
import { systemName } from '../system-name.ts';
import type { Task } from '../task.ts';

/** format_corename (fs/coredump.c, 6.18): kernel.core_pattern with its % signs filled in. */
export function coreName(k: Kernel, t: Task, signo: number): string {
  const { pattern, usesPid } = k.coreSettings;
  let name = '';
  let hasPid = false;
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] !== '%') {
      name += pattern[i];
      continue;
    }
    const letter = pattern[++i];
    // A lone % at the end is dropped.
    if (letter === undefined) break;
    if (letter === 'p') hasPid = true;
    name += letter === '%' ? '%' : specifier(k, t, signo, letter);
  }
  return usesPid && !hasPid ? `${name}.${t.tgid}` : name;
}

/** An unknown letter is nothing. What comes from the program has its slashes replaced (cn_esc_printf). */
function specifier(k: Kernel, t: Task, signo: number, letter: string): string {
  switch (letter) {
    case 'p':
    case 'P':
      return String(t.tgid);
    case 'i':
    case 'I':
      return String(t.tid);
    case 'u':
      return String(t.cred.uid);
    case 'g':
      return String(t.cred.gid);
    case 'd':
      return String(t.process.dumpable);
    case 's':
      return String(signo);
    case 't':
      return String(k.realTime().seconds);
    case 'h':
      return escaped(systemName(k).nodename);
    case 'e':
      return escaped(t.comm);
    case 'f':
      return escaped((exePath(t) ?? t.comm).split('/').at(-1) ?? '');
    case 'E':
      return escaped(exePath(t) ?? t.comm).replaceAll('/', '!');
    case 'C':
      return '0';
    case 'c': {
      const limit = t.process.rlimits[RLIMIT_CORE].soft;
      return limit === RLIM_INFINITY ? '18446744073709551615' : String(limit);
    }
    default:
      return '';
  }
}

function exePath(t: Task): string | null {
  return t.space?.exeFile?.displayPath() ?? null;
}

/** "." and ".." name no file either. */
function escaped(text: string): string {
  const safe = text.replaceAll('/', '!');
  return safe === '.' ? '!' : safe === '..' ? '!.' : safe;
}
