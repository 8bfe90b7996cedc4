// Shows files of a host to the guest. Here the host is a tree in memory; in Node, give an Environment whose `host` is the disk.
import { MemoryEnvironment, MemoryHostFiles, System } from 'faultline';

const text = (bytes: Uint8Array | number) =>
  typeof bytes === 'number' ? `error ${-bytes}` : new TextDecoder().decode(bytes);
const host = new MemoryHostFiles();
host.addFile('/home/ada/notes.txt', new TextEncoder().encode('page, frame, fault'));

const system = new System({ environment: new MemoryEnvironment({ host }), memoryBytes: 32 * 2 ** 20 });
system.mount({ host: '/home/ada', guest: '/data', mode: 'overlay' });

console.log('the guest reads:', text(system.readFile('/data/notes.txt')));
system.writeFile('/data/notes.txt', new TextEncoder().encode('changed'));
console.log('after a write, the guest reads:', text(system.readFile('/data/notes.txt')));
console.log('the host still has:', text(host.bytesOf('/home/ada/notes.txt') ?? -2));
console.log('dropped at the end:', system.shutdown().droppedFiles);
