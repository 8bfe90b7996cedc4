/** Work shorter than this needs no word. */
const QUIET_MS = 1500;

/**
 * Tells, on a terminal, what takes so long, with the seconds so far; the line is gone when the work is done. Where standard error is
 * no terminal, it is one plain line.
 */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const { stderr } = process;
  const isTerminal = stderr.isTTY === true;
  const startedMs = performance.now();
  let isShown = false;
  const show = () => {
    if (isShown && !isTerminal) return;
    isShown = true;
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const text = `faultline: ${what}; the first time takes about half a minute`;
    stderr.write(isTerminal ? `\r\x1b[K${text} (${seconds} s)` : `${text} ...\n`);
  };
  const timer = setInterval(show, QUIET_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (isShown && isTerminal) stderr.write('\r\x1b[K');
  }
}
