// Makes a machine, puts a program into it, runs it, and asks how it went.
import { MemoryEnvironment, System } from 'faultline';
import { helloElf } from './hello-elf.ts';

const environment = new MemoryEnvironment({
  onOutput: (descriptor, bytes) =>
    console.log(`descriptor ${descriptor}: ${new TextDecoder().decode(bytes).trimEnd()}`),
});
const system = new System({ environment, memoryBytes: 32 * 2 ** 20, seed: 1 });

system.writeFile('/bin/hello', helloElf('hello from the guest\n', 42), 0o755);
const pid = system.spawn('/bin/hello', ['hello'], { env: ['LANG=C'], cwd: '/' });
if (pid < 0) throw new Error(`execve: error ${-pid}`);

// In slices, so that a page or a terminal stays alive meanwhile.
while (system.run({ instructions: 1_000_000 }) !== 'exited');

console.log('exit status', system.exitStatus(pid));
const stats = system.stats({ wallMs: 0 });
console.log(`${stats.instructions} instructions, ${stats.pgfault} page faults, calls:`, stats.syscalls);
console.log('leaked frames', system.shutdown().leakedFrames);
