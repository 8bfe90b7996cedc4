/** One call of Environment or HostFiles in words: what an answer in the journal is the answer to. */
export type Question = string;

/**
 * The words for each call. A replay whose run asks for something else than the recording answers is not the same run, and the two
 * texts tell where they part.
 */
export const QUESTION = {
  readInput: (max: number): Question => `readInput ${max}`,
  writeOutput: (descriptor: number, length: number): Question => `writeOutput ${descriptor} ${length}`,
  windowSize: (): Question => 'windowSize',
  hostTimeNs: (): Question => 'hostTimeNs',
  stat: (path: string): Question => `stat ${path}`,
  readdir: (path: string): Question => `readdir ${path}`,
  readlink: (path: string): Question => `readlink ${path}`,
  read: (path: string, position: number, length: number): Question => `read ${position} ${length} ${path}`,
  write: (path: string, position: number, length: number): Question => `write ${position} ${length} ${path}`,
  truncate: (path: string, size: number): Question => `truncate ${size} ${path}`,
  create: (path: string, mode: number): Question => `create ${mode} ${path}`,
  mkdir: (path: string, mode: number): Question => `mkdir ${mode} ${path}`,
  symlink: (target: string, path: string): Question => `symlink ${path} ${target}`,
  link: (existing: string, path: string): Question => `link ${path} ${existing}`,
  unlink: (path: string): Question => `unlink ${path}`,
  rmdir: (path: string): Question => `rmdir ${path}`,
  rename: (from: string, to: string): Question => `rename ${from} ${to}`,
  chmod: (path: string, mode: number): Question => `chmod ${mode} ${path}`,
  utimes: (path: string): Question => `utimes ${path}`,
  fsync: (path: string): Question => `fsync ${path}`,
};
