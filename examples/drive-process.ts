// A process without a program: this file makes its system calls and its loads and stores.
import { MADV_DONTNEED, MAP_ANONYMOUS, MAP_PRIVATE, MemoryEnvironment, PROT_READ, PROT_WRITE, System } from 'faultline';

const system = new System({
  environment: new MemoryEnvironment(),
  memoryBytes: 32 * 2 ** 20,
  invariants: 'every-trap',
});
system.onFault((fault) => console.log(`  process ${fault.pid}: ${fault.kind}`));

const parent = system.createProcess('parent');
const at = parent.mmap({
  address: 0,
  lengthBytes: 3 * 4096,
  prot: PROT_READ | PROT_WRITE,
  flags: MAP_PRIVATE | MAP_ANONYMOUS,
});
console.log('load before any store:', parent.load(at, 1));
console.log('store:', parent.store(at, new Uint8Array([1])));

const child = parent.fork();
console.log('the child stores:', child.store(at, new Uint8Array([2])));
console.log('the parent loads:', parent.load(at, 1));
console.log('the parent stores:', parent.store(at, new Uint8Array([3])));
child.exit();

console.log('madvise(MADV_DONTNEED):', parent.madvise(at, 4096, MADV_DONTNEED));
console.log('load after it:', parent.load(at, 1));
console.log('store at address 8, -EFAULT as it would be SIGSEGV:', parent.store(8, new Uint8Array([1])));
console.log('resident pages:', parent.mincore(at, 3 * 4096));
parent.exit();
system.checkInvariants();
console.log('leaked frames:', system.shutdown().leakedFrames);
