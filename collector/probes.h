// Probes for bpftrace, perf, SystemTap and gdb (USDT): an instruction that does nothing, and a note
// in the file that says where it is. Nothing is needed at run time. libheaprake(7) has the table.
#pragma once

#ifdef HEAPRAKE_PROBES
// In registers: not every tracer understands where else an operand may be.
#define STAP_SDT_ARG_CONSTRAINT nr
#include <sys/sdt.h>
#define HEAPRAKE_PROBE1(name, a) DTRACE_PROBE1(heaprake, name, a)
#define HEAPRAKE_PROBE3(name, a, b, c) DTRACE_PROBE3(heaprake, name, a, b, c)
#else
#define HEAPRAKE_PROBE1(name, a) ((void)(a))
#define HEAPRAKE_PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif
