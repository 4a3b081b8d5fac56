"""Functions of BigQuery that only compute; those of a namespace are written with it.

Left out: `ML.*`, `AI.*`, `KEYS.*`, `AEAD.*`, `OBJ.*`, `EXTERNAL_QUERY`, what tells of the session.
"""

from __future__ import annotations

BIGQUERY = """
    any_value approx_count_distinct approx_quantiles approx_top_count approx_top_sum array
    array_avg array_concat array_concat_agg array_filter array_find array_find_all array_first
    array_includes array_includes_all array_includes_any array_is_distinct array_last
    array_length array_max array_min array_offset array_offsets array_reverse array_slice
    array_sum array_to_string array_transform array_zip bag_of_words bit_and bit_cast_to_int32
    bit_cast_to_int64 bit_count bit_or bit_xor bool bool_array byte_length bytes_to_string
    code_points_to_bytes code_points_to_string collate contains_substr cosine_distance coth
    countif csc csch current_datetime date date_add date_bucket date_diff date_from_unix_date
    date_sub datetime datetime_add datetime_bucket datetime_diff datetime_sub datetime_trunc
    dot_product edit_distance elt ends_with error euclidean_distance extract farm_fingerprint
    flatten float float32 float64 float64_array format format_date format_datetime format_time
    format_timestamp from_base32 from_base64 from_hex from_proto gap_fill generate_array
    generate_date_array generate_range_array generate_timestamp_array generate_uuid
    hll_count.extract hll_count.init hll_count.merge hll_count.merge_partial ieee_divide
    iferror int32 int64 int64_array is_inf is_nan iserror json_array json_array_append
    json_array_insert json_contains json_extract json_extract_array json_extract_scalar
    json_extract_string_array json_flatten json_keys json_object json_query json_query_array
    json_remove json_set json_strip_nulls json_type json_value json_value_array justify_days
    justify_hours justify_interval kll_quantiles.extract_float64 kll_quantiles.extract_int64
    kll_quantiles.extract_point_float64 kll_quantiles.extract_point_int64
    kll_quantiles.extract_uint64 kll_quantiles.init_float64 kll_quantiles.init_int64
    kll_quantiles.merge_float64 kll_quantiles.merge_int64 kll_quantiles.merge_partial
    kll_quantiles.merge_point_float64 kll_quantiles.merge_point_int64 lax_bool lax_bool_array
    lax_float64 lax_float64_array lax_int64 lax_int64_array lax_string lax_string_array
    logical_and logical_or make_interval manhattan_distance max_by min_by normalize
    normalize_and_casefold nulliferror nullifzero offset ordinal parse_bignumeric parse_date
    parse_datetime parse_json parse_numeric parse_time parse_timestamp range range_bucket
    range_contains range_end range_intersect range_overlaps range_start regexp_contains
    regexp_extract_all s2_cellidfrompoint s2_coveringcellids safe_add safe_cast
    safe_convert_bytes_to_string safe_divide safe_multiply safe_negate safe_offset
    safe_ordinal safe_subtract search sec sech sha1 sha256 sha512 split split_substr st_angle
    st_area st_asbinary st_asgeojson st_astext st_azimuth st_boundary st_boundingbox st_buffer
    st_bufferwithtolerance st_centroid st_centroid_agg st_closestpoint st_clusterdbscan
    st_contains st_convexhull st_coveredby st_covers st_difference st_dimension st_disjoint
    st_distance st_dump st_dwithin st_endpoint st_equals st_extent st_exteriorring st_geogfrom
    st_geogfromgeojson st_geogfromtext st_geogfromwkb st_geogpoint st_geogpointfromgeohash
    st_geohash st_geometrytype st_hausdorffdistance st_hausdorffdwithin st_interiorrings
    st_intersection st_intersects st_intersectsbox st_isclosed st_iscollection st_isempty
    st_isring st_length st_lineinterpolatepoint st_linelocatepoint st_linesubstring
    st_makeline st_makepolygon st_makepolygonoriented st_maxdistance st_npoints
    st_numgeometries st_numpoints st_perimeter st_pointn st_simplify st_snaptogrid
    st_startpoint st_touches st_union st_union_agg st_within st_x st_y starts_with string
    string_array struct text_analyze tf_idf time time_add time_diff time_sub time_trunc
    timestamp timestamp_add timestamp_bucket timestamp_diff timestamp_from_unix_micros
    timestamp_from_unix_millis timestamp_from_unix_seconds timestamp_micros timestamp_millis
    timestamp_seconds timestamp_sub timestamp_trunc to_base32 to_base64 to_code_points to_hex
    to_json to_json_string typeof unicode unix_date unix_micros unix_millis unix_seconds
    zeroifnull
"""
