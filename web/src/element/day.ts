/** The day that comes `days` after `from`, in local time. */
export function dayAfter(days: number, from = new Date()): Date {
  return new Date(from.getFullYear(), from.getMonth(), from.getDate() + days);
}
