import { Ajv, type ValidateFunction } from 'ajv';
import { parseCidr } from '../model/cidr.ts';
import { HatobaError } from '../model/errors.ts';
import { parsePortRange } from '../model/port-range.ts';
import { CONFIG_SCHEMA, type ConfigFile } from './config-schema.ts';

export type ConfigValidator = ValidateFunction<ConfigFile>;

/** Whether a value is what CONFIG_SCHEMA describes, and the first thing that is wrong with it. */
export function compileConfigValidator(): ConfigValidator {
  const formats = { ports: readsBy(parsePortRange), network: readsBy(parseCidr), 'web-address': isWebAddress };
  return new Ajv({ allowUnionTypes: true, formats }).compile<ConfigFile>(CONFIG_SCHEMA);
}

function readsBy(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch (error) {
      if (error instanceof HatobaError) return false;
      throw error;
    }
  };
}

/** Of a server, or of a place on it. */
function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  const { protocol, username, password, search, hash } = url;
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}
