import { ACCESS, ACCESS_CONFIG } from './access.ts';
import { registerCases } from './register-cases.ts';

registerCases('keys, hosts and origins', ACCESS, { config: ACCESS_CONFIG });
