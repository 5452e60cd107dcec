/** How several test files run in one process of Node: with the one seed of property tests, and with an end. */
export const TEST_OPTIONS: readonly string[] = [
  '--import=./test/property-seed.ts',
  '--test',
  '--test-isolation=none',
  '--test-timeout=60000',
];
