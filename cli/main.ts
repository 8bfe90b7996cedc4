import { runCommandLine } from './command-line.ts';
import { compareCommand } from './compare.ts';
import { demoCommand } from './demo.ts';
import { diffCommand } from './diff.ts';
import { levelsCommand } from './levels.ts';
import { policyCommand } from './policy.ts';
import { ramCommand } from './ram.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { reportCommand } from './report/command.ts';
import { runCommand } from './run.ts';
import { simCommand } from './sim.ts';
import { statCommand } from './stat.ts';
import { topCommand } from './top.ts';

runCommandLine([
  runCommand(),
  statCommand(),
  topCommand(),
  ramCommand(),
  simCommand(),
  compareCommand(),
  diffCommand(),
  recordCommand(),
  replayCommand(),
  reportCommand(),
  demoCommand(),
  levelsCommand(),
  policyCommand(),
]);
