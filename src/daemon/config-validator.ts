import { Ajv, type ValidateFunction } from 'ajv';
import { HatobaError } from '../model/errors.ts';
import { parsePortRange } from '../model/port-range.ts';
import { CONFIG_SCHEMA, type ConfigFile } from './config-schema.ts';

export type ConfigValidator = ValidateFunction<ConfigFile>;

/** Whether a value is what CONFIG_SCHEMA describes, and the first thing that is wrong with it. */
export function compileConfigValidator(): ConfigValidator {
  return new Ajv({ allowUnionTypes: true, formats: { ports: isPortRange } }).compile<ConfigFile>(CONFIG_SCHEMA);
}

function isPortRange(text: string): boolean {
  try {
    parsePortRange(text);
    return true;
  } catch (error) {
    if (error instanceof HatobaError) return false;
    throw error;
  }
}
