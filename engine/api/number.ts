import { z } from 'zod';

/** Any number, NaN and infinities included: a loss that diverged is data. (`z.number()` refuses those.) */
export const MeasuredNumber = z.custom<number>((value) => typeof value === 'number', 'expected a number');
