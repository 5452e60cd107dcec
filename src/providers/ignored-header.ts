/** Header that names what a request asked for in vain; whoever answers adds the options that it dropped. */
export const IGNORED_HEADER = 'x-obelisk-options-ignored';
