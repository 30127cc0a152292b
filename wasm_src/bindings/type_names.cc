// Embind spells the address of a C++ type with sprintf("%p"), for errors about types that were never registered; the
// compiler makes siprintf of it. libc's brings all of printf with it, 2 KB of the compressed module, for that one use.
// Weak, so that libc's own wins where something else should need it.
#include <cstdarg>
#include <cstdint>

extern "C" __attribute__((weak)) int siprintf(char* text, const char* format, ...);

int siprintf(char* text, const char* format, ...) {
  std::va_list arguments;  // NOLINT(cppcoreguidelines-init-variables): va_start does
  va_start(arguments, format);
  auto address = reinterpret_cast<std::uintptr_t>(va_arg(arguments, const void*));
  va_end(arguments);
  char* end = text;
  do {
    *end++ = static_cast<char>('a' + address % 16);
    address /= 16;
  } while (address != 0);
  *end = 0;
  return static_cast<int>(end - text);
}
