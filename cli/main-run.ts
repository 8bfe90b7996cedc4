import { runCommandLine } from './command-line.ts';
import { runCommand } from './run.ts';

/** `faultline run` and nothing else, so that a short run does not load what others ask of recordings (cli/launch.ts). */
runCommandLine([runCommand()]);
