import { System } from '../../src/index.ts';

/**
 * The command line, of a machine with a bug: one reference too many to a frame after the first slice of instructions. Nothing in
 * the product knows of it; everything from there to the report is the product's. For panic.test.ts.
 */
const { run } = System.prototype;
let isBroken = false;
System.prototype.run = function (limits) {
  if (!isBroken) {
    isBroken = true;
    const status = run.call(this, { ...limits, instructions: 1000 });
    const { mapcount, refcount } = this.kernel.mm.frames;
    const frame = mapcount.findIndex((count, at) => count === 1 && refcount[at] === 1);
    refcount[frame]++;
    return status;
  }
  return run.call(this, limits);
};

await import('../../cli/main.ts');
