#define FRAMES frames_o3
#include "unwind_frames.inc"
