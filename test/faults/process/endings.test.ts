import { ENDINGS, LOADS } from './endings.ts';
import { registerCases } from './register-cases.ts';

// Windows has neither these signals nor stopped processes.
registerCases('the end of the process and its reloads', ENDINGS, process.platform === 'win32');
registerCases('a process that has too much to do', LOADS, process.platform === 'win32');
