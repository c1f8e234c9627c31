const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** A time in local time by C's `strftime` pattern, in English. An unknown directive stands as it is. */
export function strftime(pattern: string, time: Date): string {
  return pattern.replace(/%(.)/gs, (whole, directive: string) => directiveText(directive, time) ?? whole);
}

function directiveText(directive: string, time: Date): string | undefined {
  const hour12 = time.getHours() % 12 === 0 ? 12 : time.getHours() % 12;
  switch (directive) {
    case 'Y':
      return String(time.getFullYear());
    case 'C':
      return two(Math.floor(time.getFullYear() / 100));
    case 'y':
      return two(time.getFullYear() % 100);
    case 'm':
      return two(time.getMonth() + 1);
    case 'd':
      return two(time.getDate());
    case 'e':
      return String(time.getDate()).padStart(2, ' ');
    case 'H':
      return two(time.getHours());
    case 'I':
      return two(hour12);
    case 'M':
      return two(time.getMinutes());
    case 'S':
      return two(time.getSeconds());
    case 'f':
      return String(time.getMilliseconds() * 1000).padStart(6, '0');
    case 'p':
      return time.getHours() < 12 ? 'AM' : 'PM';
    case 'A':
      return DAYS[time.getDay()];
    case 'a':
      return DAYS[time.getDay()]?.slice(0, 3);
    case 'B':
      return MONTHS[time.getMonth()];
    case 'b':
    case 'h':
      return MONTHS[time.getMonth()]?.slice(0, 3);
    case 'w':
      return String(time.getDay());
    case 'u':
      return String(time.getDay() === 0 ? 7 : time.getDay());
    case 'j':
      return String(dayOfYear(time)).padStart(3, '0');
    case 's':
      return String(Math.floor(time.getTime() / 1000));
    case 'z':
      return offset(time);
    case 'D':
      return strftime('%m/%d/%y', time);
    case 'F':
      return strftime('%Y-%m-%d', time);
    case 'T':
    case 'X':
      return strftime('%H:%M:%S', time);
    case 'R':
      return strftime('%H:%M', time);
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}

function dayOfYear(time: Date): number {
  const day = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());
  return Math.round((day - Date.UTC(time.getFullYear(), 0, 0)) / 86_400_000);
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
