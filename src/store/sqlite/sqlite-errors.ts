import { HatobaError, hatobaError, reasonOf } from '../../model/errors.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Says in the catalogue's words what SQLite or the file system threw over `file`; catalogue errors unchanged. */
export function storeError(file: string, error: unknown): HatobaError {
  if (error instanceof HatobaError) return error;
  const context = { cause: error };
  const reason = reasonOf(error);
  switch (primaryCode(error)) {
    case SQLITE_BUSY:
      return hatobaError('store_in_use', { file }, context);
    case SQLITE_READONLY:
      return hatobaError('store_read_only', { file }, context);
    case SQLITE_FULL:
      return hatobaError('store_full', { file }, context);
    case SQLITE_CORRUPT:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
      return hatobaError('store_unreadable', { file, reason }, context);
    default:
      return fileSystemError(file, error) ?? hatobaError('store_failed', { reason }, context);
  }
}

/** Does what touches the database of `file`; what is thrown meanwhile comes out as `store_…`. */
export function inStore<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw storeError(file, error);
  }
}

/** The low byte of SQLite's code, without the extension; 0: the error is not SQLite's. */
function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return 0;
  return error.errcode & 0xff;
}

function fileSystemError(file: string, error: unknown): HatobaError | null {
  const context = { cause: error };
  switch (error instanceof Error && 'code' in error ? error.code : null) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return hatobaError('store_read_only', { file }, context);
    case 'ENOSPC':
    case 'EDQUOT':
      return hatobaError('store_full', { file }, context);
    default:
      return null;
  }
}
