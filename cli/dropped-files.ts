import { isAbsolute, join, relative } from 'node:path';
import type { MountOption } from './mount-option.ts';

/** How many of the dropped files the note names. */
const NAMED = 5;

/**
 * The one line about files whose changes end with the run, or null where there are none. It names the options that would have
 * kept them: the mount that holds each file, written again with `rw`. `mounts` are those of the run, the later over the earlier;
 * the guest's root, where it is a host folder, is the one at `/`.
 */
export function droppedFilesNote(
  files: readonly string[],
  mounts: readonly MountOption[],
  here: string,
): string | null {
  if (files.length === 0) return null;
  const named = files.slice(0, NAMED).join(', ');
  const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
  const keepers = new Set(files.map((file) => keeperOf(file, mounts, here)).filter((option) => option !== null));
  const advice = keepers.size === 0 ? '' : ` (${[...keepers].join(' ')} ${keepers.size === 1 ? 'keeps' : 'keep'} it)`;
  return `dropped what the program wrote: ${named}${more}${advice}`;
}

/** The option that keeps a guest file: its mount as `rw`. A root stays an overlay, so there it is the file's folder below it. */
function keeperOf(file: string, mounts: readonly MountOption[], here: string): string | null {
  const mount = mounts.filter(({ guest }) => isWithin(file, guest)).reduce(deeper, null);
  if (mount === null) return null;
  if (mount.guest === '/') {
    const [, folder, ...below] = file.split('/');
    return below.length === 0 ? null : `--mount ${join(mount.host, folder)}:/${folder}:rw`;
  }
  if (mount.host === here && mount.guest === here) return '--mount .:rw';
  return mount.guest === mount.host ? `--mount ${mount.host}:rw` : `--mount ${mount.host}:${mount.guest}:rw`;
}

const deeper = (best: MountOption | null, one: MountOption): MountOption =>
  best === null || one.guest.length >= best.guest.length ? one : best;

function isWithin(file: string, folder: string): boolean {
  const way = relative(folder, file);
  return !way.startsWith('..') && !isAbsolute(way);
}
