import {
  type ApplicationText,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  text_en,
} from '@stricli/core';
import { hatobaError, reasonOf } from '../model/errors.ts';
import { describeError } from './errors.ts';

/** What stricli says, said as hatoba says it. A usage error's hint is left to `runCli`: there may be several errors. */
export function cliText(withStack: boolean): ApplicationText {
  const failure = (error: unknown): string => describeError(error, withStack);
  return {
    ...text_en,
    briefs: {
      ...text_en.briefs,
      help: 'Print this help',
      version: 'Print the version',
      argumentEscapeSequence: 'Take everything after it as arguments',
    },
    exceptionWhileParsingArguments: (error) => describeUsage(error, failure),
    noCommandRegisteredForInput: ({ input, corrections }) => {
      return usage(`there is no command ${input}${alternatives(corrections.map((word) => word.replaceAll('`', '')))}`);
    },
    exceptionWhileLoadingCommandFunction: failure,
    exceptionWhileLoadingCommandContext: failure,
    exceptionWhileRunningCommand: failure,
    commandErrorResult: failure,
    exceptionWhileRunningIntegrationHook: ({ exception }) => failure(exception),
    exceptionWhileRunningIntegrationFlag: ({ exception }) => failure(exception),
  };
}

function describeUsage(error: unknown, failure: (error: unknown) => string): string {
  if (!(error instanceof ArgumentScannerError)) return failure(error);
  const reason = formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) => {
      return `there is no flag --${input}${alternatives(corrections.map((flag) => `--${kebabCase(flag)}`))}`;
    },
    AliasNotFoundError: ({ input }) => `there is no flag -${input}`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: place, input, exception }) => {
      return `argument ${place}: ${input === '' ? '""' : input}: ${reasonOf(exception)}`;
    },
    EnumValidationError: ({ externalFlagName, input, values }) => {
      return `--${externalFlagName}: ${input} is not one of ${values.join(', ')}`;
    },
    UnsatisfiedFlagError: ({ externalFlagName }) => `--${externalFlagName} needs a value`,
    UnexpectedFlagError: ({ externalFlagName }) => `--${externalFlagName} is given more than once`,
    InvalidNegatedFlagSyntaxError: ({ externalFlagName }) => `--${externalFlagName} takes no value`,
    UnexpectedPositionalError: ({ input }) => `there is an argument too many: ${input}`,
    UnsatisfiedPositionalError: ({ placeholder }) => `the argument ${placeholder} is missing`,
  });
  return usage(reason);
}

function usage(reason: string): string {
  return `hatoba: ${hatobaError('usage_malformed', { reason }).message}`;
}

function alternatives(words: readonly string[]): string {
  return words.length === 0 ? '' : `; did you mean ${words.join(' or ')}?`;
}

function kebabCase(camelCase: string): string {
  return camelCase.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
