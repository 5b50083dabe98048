#define FRAMES frames_o1
#include "unwind_frames.inc"
