/**
 * Our own broken invariant (decision D8): never the guest's fault, never caught below cli/ and lab/.
 * The message names the file and the condition.
 */
export class KernelPanic extends Error {
  override readonly name = 'KernelPanic';
}

/** Throws `KernelPanic` if the condition is false. `where` is `folder/file: what must hold`. */
export function assert(condition: boolean, where: string): asserts condition {
  if (!condition) throw new KernelPanic(where);
}

export function panic(where: string): never {
  throw new KernelPanic(where);
}

/** The last arm of a `switch` over a closed set. */
export function unreachable(value: never): never {
  throw new KernelPanic(`unreachable value ${String(value)}`);
}
