import { Ajv, type ValidateFunction } from 'ajv';
import { CONFIG_SCHEMA, type ConfigFile } from './config-schema.ts';

export type ConfigValidator = ValidateFunction<ConfigFile>;

/** Whether a value is what CONFIG_SCHEMA describes, and the first thing that is wrong with it. */
export function compileConfigValidator(): ConfigValidator {
  return new Ajv({ allowUnionTypes: true }).compile<ConfigFile>(CONFIG_SCHEMA);
}
