#define FRAMES frames_o2
#include "unwind_frames.inc"
