import { runChromium } from './chromium.ts';
import { runCpu } from './cpu.ts';
import { runCurves } from './curves.ts';
import { runEvents } from './events.ts';
import { runChild } from './faultline-child.ts';
import { runFull } from './full.ts';
import { runMemory } from './memory.ts';
import { runPauses } from './pauses.ts';
import { runQuick } from './quick.ts';
import { runReplay } from './replay.ts';
import { runStartUp } from './start-up.ts';

/**
 * `npm run bench`: every row against native Linux and qemu-riscv64 (full.ts); `-- --quick`: half a minute, against a loop of the host
 * (quick.ts); `-- --cpu`: the interpreter or JIT alone, without a kernel (cpu.ts);
 * `-- --curves`: the curves of page references (curves.ts);
 * `-- --chromium`: the same bundle in headless Chromium and in Node (chromium.ts); `-- --pauses PROGRAM`: how long translation stops a program (pauses.ts);
 * `-- --replay`: how long it takes to go to a point of a long recorded run (replay.ts);
 * `-- --events`: what it costs to listen to events (events.ts); `-- --memory`: the host's memory at its peak (memory.ts); `-- --start-up`: from the start of the process to its end (start-up.ts). README.md has the options. All are imported at once:
 * a bundler makes variables of the constants of modules that are loaded later, which is slower than what users run.
 */
if (process.argv.includes('--child')) console.log(JSON.stringify(runChild(JSON.parse(process.argv.at(-1)!))));
else if (process.argv.includes('--quick')) await runQuick();
else if (process.argv.includes('--cpu')) runCpu();
else if (process.argv.includes('--curves')) await runCurves();
else if (process.argv.includes('--chromium')) await runChromium();
else if (process.argv.includes('--events')) await runEvents();
else if (process.argv.includes('--pauses')) runPauses();
else if (process.argv.includes('--memory')) await runMemory();
else if (process.argv.includes('--replay')) await runReplay();
else if (process.argv.includes('--start-up')) await runStartUp();
else await runFull();
