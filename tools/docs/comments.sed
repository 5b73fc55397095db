#!/bin/sed -Ef
# Comments before a declaration, and behind one, as Doxygen reads them. The first block
# of a file is about the file.
1s|^// |/// \\file\n/// |
2,$s|^([[:space:]]*)//( \|$)|\1///\2|
2,$s|([;,{})]) +// |\1 ///< |
